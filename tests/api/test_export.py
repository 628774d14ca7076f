"""Exports over HTTP and through the client; what is in the files stands in test_export_files.py."""

from __future__ import annotations

import io
import json
import re
from typing import Any

import httpx
import pyarrow.parquet as pq
import pytest

from backend.client import Client, Refused
from backend.export.make import RUNS_FORMATS
from predictor.events import IterationFinished, WorkerJoined
from tests.api.server import TOKEN, Server
from tests.backend.checks import wait_for

RUN: dict[str, Any] = {
    "name": "exported",
    "cluster": {"num_workers": 2},
    "policy": {"name": "ssp", "threshold": 2},
    "stop": {"iterations": 20, "seconds": None},
}


@pytest.fixture
def run_id(server: Server) -> str:
    run_id = server.submit_run(**RUN)
    server.wait_for_state(run_id, "completed")
    return run_id


def fetch(server: Server, path: str, **query: Any) -> httpx.Response:
    answer = server.http.get(path, params=query)
    assert answer.status_code == 200, answer.text
    return answer


@pytest.mark.parametrize(
    ("query", "media_type", "name"),
    [
        ({"format": "csv"}, "application/zip", "events-csv.zip"),
        ({"format": "csv", "table": "iterations"}, "text/csv; charset=utf-8", "iterations.csv"),
        ({"format": "csv", "kinds": "WorkerLeft"}, "text/csv; charset=utf-8", "WorkerLeft.csv"),
        ({"format": "json"}, "application/json", "events.json"),
        ({"format": "jsonl"}, "application/x-ndjson", "events.jsonl"),
        ({"format": "parquet"}, "application/vnd.apache.parquet", "iterations.parquet"),
        ({"format": "perfetto"}, "application/json", "trace.json"),
        ({"format": "html"}, "text/html; charset=utf-8", "report.html"),
    ],
)
def test_every_format_comes_as_a_file(
    server: Server, run_id: str, query: dict[str, str], media_type: str, name: str
) -> None:
    answer = fetch(server, f"/runs/{run_id}/export", **query)
    assert answer.headers["content-type"] == media_type
    assert answer.headers["content-disposition"] == f'attachment; filename="exported-{run_id}-{name}"'
    assert "content-length" not in answer.headers  # it is sent while it is made
    assert len(answer.content) > 50


def test_lines_are_those_of_the_run_s_directory(server: Server, run_id: str) -> None:
    data = fetch(server, f"/runs/{run_id}/export", format="jsonl").content
    written = (server.home / "runs" / run_id / "events.jsonl").read_text().splitlines()
    assert [json.loads(line) for line in data.splitlines()] == [json.loads(line) for line in written]


def test_a_table_agrees_with_the_summary(server: Server, run_id: str) -> None:
    table = pq.read_table(io.BytesIO(fetch(server, f"/runs/{run_id}/export", format="parquet").content))
    assert table.num_rows == server.get(f"/runs/{run_id}")["summary"]["num_iterations"] == 40


def test_a_run_that_trains_is_exported_up_to_now(server: Server) -> None:
    run_id = server.submit_run(**{**RUN, "stop": {"seconds": 60}})
    server.wait_for_state(run_id, "running")
    server.say(run_id, WorkerJoined(0.0, 0, 0, 0), *[iterated(number) for number in range(1, 4)])
    wait_for(lambda: server.get(f"/runs/{run_id}")["last_seq"] >= 5, "the events are stored")
    lines = fetch(server, f"/runs/{run_id}/export", format="jsonl").text.splitlines()
    assert [json.loads(line)["seq"] for line in lines] == list(range(1, server.get(f"/runs/{run_id}")["last_seq"] + 1))
    assert "report" in fetch(server, f"/runs/{run_id}/export", format="html").headers["content-disposition"]


def iterated(number: int) -> IterationFinished:
    return IterationFinished(number * 0.1, 0, number, 0, (number - 1) * 0.1, 0.1, 0.1, 1.0, 32, 0.0)


def test_a_run_without_events_has_files_too(server: Server) -> None:
    for_long = {**RUN, "stop": {"seconds": 60}}
    queued = server.submit(run=for_long, seeds=[1, 2, 3])["run_ids"][-1]  # two train, the third waits
    assert server.get(f"/runs/{queued}")["last_seq"] == 0
    assert fetch(server, f"/runs/{queued}/export", format="jsonl").content == b""
    for query in ({"format": "csv"}, {"format": "parquet"}, {"format": "perfetto"}, {"format": "html"}):
        assert fetch(server, f"/runs/{queued}/export", **query).content
    parquet = fetch(server, f"/runs/{queued}/export", format="parquet").content
    assert pq.read_table(io.BytesIO(parquet)).num_rows == 0


def test_several_runs_as_one_file(server: Server, run_id: str) -> None:
    other = server.submit_run(**{**RUN, "policy": {"name": "bsp"}})
    server.wait_for_state(other, "completed")
    for format_name in RUNS_FORMATS:
        answer = fetch(server, "/export", runs=f"{run_id},{other}", format=format_name)
        assert answer.headers["content-disposition"] == f'attachment; filename="foresync-2-runs.{format_name}"'
    rows = fetch(server, "/export", runs=f"{other},{run_id}", format="csv").text.splitlines()
    assert [row.partition(",")[0] for row in rows[1:]] == [other, run_id]
    page = fetch(server, "/export", runs=f"{run_id},{other}", format="html").text
    assert re.search(r"<h1>2 runs compared</h1>", page)
    assert "policy.threshold" in page


@pytest.mark.parametrize(
    ("path", "query", "status", "said"),
    [
        ("/runs/{run}/export", {}, 422, "format is required"),
        ("/runs/{run}/export", {"format": "doc"}, 422, "format must be "),
        ("/runs/{run}/export", {"format": "html", "table": "nodes"}, 422, "table does not go with format=html"),
        ("/runs/{run}/export", {"format": "csv", "kinds": "No"}, 422, "kinds must be among "),
        ("/runs/{run}/export", {"format": "csv", "tables": "nodes"}, 422, "tables is not a known parameter"),
        ("/runs/0000000000000000/export", {"format": "csv"}, 404, "There is no run '0000000000000000'."),
        ("/runs/..%2Fx/export", {"format": "csv"}, 404, "is not part of the API"),
        ("/export", {"format": "csv", "runs": ""}, 422, "runs must name 1 to 100 runs, got 0."),
        ("/export", {"format": "perfetto", "runs": "{run}"}, 422, "format must be "),
        ("/export", {"format": "csv", "runs": "{run},0000000000000000"}, 404, "There is no run '0000000000000000'."),
    ],
)
def test_what_cannot_be_exported_is_said_before_a_byte_is_sent(
    server: Server, run_id: str, path: str, query: dict[str, str], status: int, said: str
) -> None:
    answer = server.http.get(
        path.replace("{run}", run_id), params={name: value.replace("{run}", run_id) for name, value in query.items()}
    )
    assert answer.status_code == status
    assert said in answer.json()["detail"]
    assert answer.headers["content-type"] == "application/problem+json"


def test_nobody_exports_without_the_token(server: Server, run_id: str) -> None:
    answer = httpx.get(f"{server.url}/api/v1/runs/{run_id}/export?format=csv")
    assert answer.status_code == 401


def test_the_client_reads_files_piece_by_piece(server: Server, run_id: str) -> None:
    with Client(server.url, TOKEN) as client:
        data = b"".join(client.export(run_id, "jsonl", kinds=["WorkerJoined", "WorkerLeft"]))
        assert {json.loads(line)["kind"] for line in data.splitlines()} == {"WorkerJoined", "WorkerLeft"}
        assert b"".join(client.export_runs([run_id], "csv")).startswith(b"id,name,")
        with pytest.raises(Refused, match="format must be "):
            next(client.export(run_id, "doc"))
