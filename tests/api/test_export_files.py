"""What is in exported files: every row against the events that it comes from."""

from __future__ import annotations

import csv
import io
import itertools
import json
import re
import zipfile
from collections import defaultdict
from typing import Any

import pyarrow.parquet as pq
import pytest

from backend.comparison.groups import Compared, compare_groups
from backend.errors import BadValue
from backend.export.columns import columns
from backend.export.digest import KINDS, Digest
from backend.export.lanes import MAX_COLUMNS, Lanes
from backend.export.make import export_run, export_runs
from backend.export.source import RunDirectory
from backend.export.tables import TABLES
from backend.export.write import write_csv
from predictor import log
from predictor.events import EvaluationFinished, IterationFinished, MessageLogged
from tests.api.exporting import MadeRun, made_run

EVIL = "</script><img src=x onerror=alert(1)> & <b>\u2028"


def whole(source: MadeRun, format: Any, table: Any = None, kinds: tuple[str, ...] = ()) -> bytes:
    return b"".join(export_run(source, format, table, kinds).pieces)


def csv_rows(data: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(data.decode())))


@pytest.fixture(scope="module")
def run() -> MadeRun:
    looks = [EvaluationFinished(1.0 + at, 1.0 + at, 5 * at, 0.5, 0.5, 10, is_final=False) for at in range(4)]
    return made_run(looks)


@pytest.mark.parametrize("table", TABLES)
def test_all_formats_of_a_table_hold_the_same(run: MadeRun, table: str) -> None:
    as_json = json.loads(whole(run, "json", table))
    rows = as_json["rows"]
    assert [json.loads(line) for line in whole(run, "jsonl", table).splitlines()] == rows
    assert pq.read_table(io.BytesIO(whole(run, "parquet", table))).to_pylist() == rows
    names = [column["name"] for column in as_json["columns"]]
    assert names == [column.name for column in TABLES[table].columns]
    assert all(column["meaning"] for column in as_json["columns"])
    shown = [{name: _as_csv(value) for name, value in row.items()} for row in rows]
    assert csv_rows(whole(run, "csv", table)) == shown
    assert as_json["run"]["spec"] == run.run["spec"]


def _as_csv(value: Any) -> str:
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)


def test_iterations_bear_their_forecasts(run: MadeRun) -> None:
    rows = json.loads(whole(run, "json", "iterations"))["rows"]
    finished = run.events("IterationFinished")
    forecasts = {(one["worker"], one["iteration"]): one for one in run.events("ForecastUpdated")}
    assert [row["seq"] for row in rows] == [event["seq"] for event in finished]
    assert len(forecasts) > 100
    for row, event in zip(rows, finished, strict=True):
        assert all(row[name] == event[name] for name in ("worker", "iteration", "started_at_s", "at_s", "compute_s"))
        assert row["loss"] is None  # nothing was trained
        forecast = forecasts.get((row["worker"], row["iteration"]))
        if forecast is None:
            assert row["predicted_at_s"] is row["is_covered"] is None
        else:
            assert row["predicted_at_s"] == forecast["expected_at_s"]
            assert row["is_covered"] == (forecast["low_at_s"] <= event["at_s"] <= forecast["high_at_s"])


def test_synchronisations_bear_their_plans_as_the_summary_judges_them() -> None:
    planned = made_run(spec={"policy": {"name": "predictive"}})
    rows = json.loads(whole(planned, "json", "synchronisations"))["rows"]
    judged = [row for row in rows if row["is_covered"] is not None]
    windows = planned.run["summary"]["windows"]
    assert windows["num"] > 5
    assert (len(judged), sum(row["is_covered"] for row in judged)) == (windows["num"], windows["num_covered"])
    mean_error_s = sum(abs(row["error_s"]) for row in judged) / len(judged)
    assert mean_error_s == pytest.approx(windows["mean_error_s"])
    applied = planned.events("AggregateApplied")
    assert [row["workers"] for row in rows] == [
        " ".join(str(part["worker"]) for part in event["contributions"]) for event in applied
    ]
    assert sum(row["num_iterations"] for row in rows) == sum(
        part["num_iterations"] for event in applied for part in event["contributions"]
    )


def test_evaluations_know_how_many_iterations_their_weights_hold(run: MadeRun) -> None:
    applied = run.events("AggregateApplied")
    for row in json.loads(whole(run, "json", "evaluations"))["rows"]:
        held = [event for event in applied if event["version"] <= row["version"]]
        assert row["num_iterations"] == sum(p["num_iterations"] for event in held for p in event["contributions"])


def test_events_as_lines_are_the_log(run: MadeRun) -> None:
    assert whole(run, "jsonl").splitlines() == run.lines_made
    assert json.loads(whole(run, "json"))["events"] == run.events()
    kinds = ("WorkerJoined", "WorkerLeft")
    assert [json.loads(line) for line in whole(run, "jsonl", kinds=kinds).splitlines()] == run.events(*kinds)


@pytest.mark.parametrize("format", ["csv", "parquet"])
def test_an_archive_has_a_file_for_each_kind(run: MadeRun, format: str) -> None:
    export = export_run(run, format, "events")  # type: ignore[arg-type]
    assert export.file_name.endswith(".zip")
    archive = zipfile.ZipFile(io.BytesIO(b"".join(export.pieces)))
    assert archive.testzip() is None
    present = {event["kind"] for event in run.events()}
    assert {name.partition(".")[0] for name in archive.namelist()} == present
    for kind in present:
        data = archive.read(f"{kind}.{format}")
        seqs = [event["seq"] for event in run.events(kind)]
        if format == "csv":
            assert [int(row["seq"]) for row in csv_rows(data)] == seqs
        else:
            assert pq.read_table(io.BytesIO(data)).column("seq").to_pylist() == seqs


def test_a_text_that_a_spreadsheet_would_carry_out_gets_an_apostrophe() -> None:
    texts = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "a=1", "", "'=1"]
    written = b"".join(write_csv(columns("text", text="") + columns("number", number=""), [[t, -1.5] for t in texts]))
    with io.StringIO(written.decode(), newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["text"] for row in rows] == ["'=1+1", "'+1", "'-1", "'@SUM(A1)", "'\t=1", "'\n=1", "a=1", "", "'=1"]
    assert {row["number"] for row in rows} == {"-1.5"}


def test_parts_of_an_event_are_json(run: MadeRun) -> None:
    rows = csv_rows(whole(run, "csv", kinds=("AggregateApplied",)))
    first = run.events("AggregateApplied")[0]
    assert json.loads(rows[0]["contributions"]) == first["contributions"]
    assert float(rows[0]["scale"]) == first["scale"]


def test_parquet_names_the_run_in_its_footer(run: MadeRun) -> None:
    said = pq.read_schema(io.BytesIO(whole(run, "parquet"))).metadata
    assert said[b"foresync.times"] == b"simulated"
    assert said[b"foresync.table"] == b"iterations"
    assert json.loads(said[b"foresync.spec"]) == run.run["spec"]


@pytest.mark.parametrize(
    ("format", "table"), [("json", None), ("jsonl", None), ("perfetto", None), ("html", None), ("csv", "iterations")]
)
def test_a_file_begins_before_the_log_is_read(format: Any, table: Any) -> None:
    source = made_run(spec={"stop": {"iterations": 600, "seconds": None}})
    pieces = export_run(source, format, table).pieces
    for _ in range(1 if format == "html" else 2):
        assert next(pieces)
    assert source.num_read < 0.9 * len(source.lines_made)
    assert b"".join(pieces)
    assert source.num_read == len(source.lines_made)


@pytest.mark.parametrize(
    ("format", "table", "kinds", "said"),
    [
        ("doc", None, (), "format must be one of csv, json"),
        ("csv", "loss", (), "table must be one of events, "),
        ("csv", None, ("Nothing",), "kinds must be among WorkerJoined"),
        ("perfetto", "nodes", (), "table does not go with format=perfetto"),
        ("html", None, ("WorkerLeft",), "kinds does not go with format=html"),
        ("csv", "nodes", ("WorkerLeft",), "kinds goes with table=events only"),
    ],
)
def test_what_does_not_go_together_is_refused(run: MadeRun, format: Any, table: Any, kinds: Any, said: str) -> None:
    with pytest.raises(BadValue, match=said):
        export_run(run, format, table, kinds)


def test_names_of_files_are_plain() -> None:
    source = made_run(name=f"../Übung {EVIL}\r\n" + "x" * 200)
    assert re.fullmatch(
        r"[a-z0-9-]{1,60}-0{16}-iterations-simulated\.csv", export_run(source, "csv", "iterations").file_name
    )
    measured = made_run(name="///", is_simulated=False)
    assert export_run(measured, "jsonl").file_name == f"run-{'0' * 16}-events.jsonl"


# ---- the trace -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("policy", ["foresync", "predictive", "bsp", "asp"])
def test_the_trace_keeps_the_rules_of_its_format(policy: str) -> None:
    source = made_run(spec={"policy": {"name": policy}})
    trace = json.loads(whole(source, "perfetto"))
    events = trace["traceEvents"]
    assert trace["otherData"]["times"] == "simulated"
    by_phase = defaultdict(list)
    for event in events:
        by_phase[event["ph"]].append(event)
    assert set(by_phase) <= {"M", "X", "i", "C", "s", "f", "b", "e"}
    computes = [one for one in by_phase["X"] if one["name"] == "compute"]
    assert len(computes) == len(source.events("IterationFinished"))
    assert len([one for one in by_phase["i"] if one["name"] == "synchronisation"]) == len(
        source.events("AggregateApplied")
    )
    threads = {one["tid"]: one["args"]["name"] for one in by_phase["M"] if one["name"] == "thread_name"}
    assert {"server", "worker 0", "worker 2", "worker 2: pushes"} <= set(threads.values())
    slices = _nested(by_phase["X"])
    for start, end in zip(by_phase["s"], by_phase["f"], strict=True):
        assert (start["id"], type(start["id"])) == (end["id"], int)
        assert start["ts"] <= end["ts"]
        for one in (start, end):
            assert any(low <= one["ts"] <= high for low, high in slices[one["tid"]]), one
    forecasts = source.events("ForecastUpdated", "SyncPlanned")
    assert len(by_phase["b"]) == len(by_phase["e"]) == len(forecasts)
    assert {one["pid"] for one in by_phase["b"]} <= {2}


def _nested(events: list[dict[str, Any]]) -> dict[int, list[tuple[int, int]]]:
    """Give the slices of each thread; two of them must lie apart or one in the other."""
    slices: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for event in events:
        slices[event["tid"]].append((event["ts"], event["ts"] + event["dur"]))
    for some in slices.values():
        open_ends: list[int] = []
        for start, end in sorted(some, key=lambda one: (one[0], -one[1])):
            while open_ends and open_ends[-1] <= start:
                open_ends.pop()
            assert not open_ends or end <= open_ends[-1]
            open_ends.append(end)
    return slices


def test_waiting_workers_are_counted(run: MadeRun) -> None:
    source = made_run(spec={"policy": {"name": "bsp"}})
    events = json.loads(whole(source, "perfetto"))["traceEvents"]
    counts = [event["args"]["workers"] for event in events if event["ph"] == "C" and event["name"] == "waiting"]
    assert max(counts) == 3  # at a barrier, all
    assert counts[-1] == 0
    assert all(abs(a - b) == 1 for a, b in itertools.pairwise(counts))


# ---- reports ---------------------------------------------------------------------------------------------


def figures_of(page: str) -> dict[str, Any]:
    found = re.search(r'<script type="application/json" id=figures>(.*?)</script>', page, re.DOTALL)
    assert found
    figures: dict[str, Any] = json.loads(found[1])
    return figures


def test_a_report_says_what_it_leaves_out() -> None:
    warned = [MessageLogged(1.0, "server", "warning", f"number {number}") for number in range(25)]
    looked = [EvaluationFinished(2.0 + at, 2.0 + at, at, 1.0, 0.5, 10, False) for at in range(2_500)]
    page = whole(made_run([*warned, *looked]), "html").decode()
    assert "The last 20 of 25." in page
    shown = re.search(r"([\d,]+) of 2,500 evaluations are drawn", page)
    assert shown is not None
    assert int(shown[1].replace(",", "")) <= 1_001
    assert "evaluations are drawn" not in whole(made_run(looked[:10]), "html").decode()


def test_a_report_escapes_what_a_person_wrote() -> None:
    source = made_run(
        [MessageLogged(1.0, "server", "warning", f"warned {EVIL}")],
        spec={"name": EVIL},
        notes=f"noted {EVIL}",
        tags=[EVIL],
        reason=EVIL,
        experiment_name=EVIL,
    )
    page = whole(source, "html").decode()
    assert "<img src=x" not in page
    assert page.count("&lt;/script&gt;&lt;img src=x onerror=alert(1)&gt; &amp; &lt;b&gt;") >= 6
    other = made_run(spec={"name": EVIL, "seed": 2})
    both = b"".join(export_runs([source, other], "html", []).pieces).decode()
    assert "<img src=x" not in both
    assert page.count("<script") == both.count("<script") == 3
    assert [one["name"] for one in figures_of(page)["timeline"]["lanes"]] == ["worker 0", "worker 1", "worker 2"]


def test_a_report_asks_nobody_for_anything(run: MadeRun) -> None:
    page = whole(run, "html").decode()
    markup = re.sub(r"<script>.*?</script>", "", page, flags=re.DOTALL)
    assert not re.search(r"""(src|href)\s*=|url\(|@import""", markup)
    assert "default-src 'none'" in markup
    assert page.count("plotly.js v") >= 1


def test_the_timeline_of_a_long_run_is_down_sampled_and_says_so(run: MadeRun) -> None:
    short = figures_of(whole(run, "html").decode())["timeline"]
    assert short["is_exact"]
    spans = sum(len(lane[state]) // 2 for lane in short["lanes"] for state in ("compute", "local", "transfer", "wait"))
    assert spans == short["num_spans"]
    lanes = Lanes()
    for number in range(30_000):  # always busy, for two thirds of the time with itself
        start_s = float(number)
        made = IterationFinished(start_s + 1, 0, number + 1, 0, start_s, 1.0, 0.0, 0.0, 1, 1 / 3)
        lanes.update(log.to_fields(made))
    data = lanes.to_data()
    lane = data["lanes"][0]
    assert not data["is_exact"]
    assert len(lane["compute"]) <= MAX_COLUMNS
    assert sum(lane["compute"]) * data["column_s"] == pytest.approx(20_000, rel=1e-5)
    assert sum(lane["local"]) * data["column_s"] == pytest.approx(10_000, rel=1e-5)
    assert all(a + b <= 1 + 1e-6 for a, b in zip(lane["compute"], lane["local"], strict=True))
    long = made_run(spec={"stop": {"iterations": 1_000, "seconds": None}})
    page = whole(long, "html").decode()
    assert "Down-sampled: the run has" in page
    assert not figures_of(page)["timeline"]["is_exact"]


def test_a_digest_agrees_with_the_summary(run: MadeRun) -> None:
    digest, summary = Digest(), run.run["summary"]
    for event in run.events(*KINDS):
        digest.update(event)
    judged = sum(num for num, _ in digest.coverage.values())
    assert judged == summary["forecasts"]["num"] == digest.places.total()
    assert sum(held for _, held in digest.coverage.values()) / judged == pytest.approx(summary["forecasts"]["coverage"])
    assert max(digest.lead) == summary["max_lead"]
    mean = sum(value * num for value, num in digest.staleness.items()) / digest.staleness.total()
    assert mean == pytest.approx(summary["mean_staleness"])
    assert digest.num_synchronisations == summary["version"]


def test_a_comparison_shows_each_setting_over_its_seeds() -> None:
    looks = [
        [EvaluationFinished(at, at, 0, 2.0 / (1 + at) + seed / 10, 0.5, 10, is_final=False) for at in range(5)]
        for seed in (1, 2, 3)
    ]
    runs = [
        made_run(some, spec={"policy": policy, "seed": seed})
        for policy in ({"name": "bsp"}, {"name": "asp"})
        for seed, some in zip((1, 2, 3), looks, strict=True)
    ]
    for number, one in enumerate(runs):
        one.run["id"] = f"{number:016}"
    differing = [
        {"path": "policy.name", "values": [one.run["spec"]["policy"]["name"] for one in runs]},
        {"path": "seed", "values": [one.run["spec"]["seed"] for one in runs]},
    ]
    page = b"".join(export_runs(runs, "html", differing).pieces).decode()
    traces = figures_of(page)["loss-seconds"]["traces"]
    assert [trace["name"] for trace in traces] == ["bsp, mean of 3 runs", "asp, mean of 3 runs"]
    assert all(
        low < mean < high for low, mean, high in zip(traces[0]["low"], traces[0]["y"], traces[0]["high"], strict=True)
    )
    assert "bsp, seed 1" in page
    groups = compare_groups([Compared(r.run["id"], r.run["spec"], r.run["summary"], True) for r in runs], None)
    assert [len(group.run_ids) for group in groups] == [3, 3]


# ---- several runs as a table -----------------------------------------------------------------------------


def test_runs_as_a_table_have_every_setting_and_figure() -> None:
    runs = [
        made_run(),
        made_run(spec={"policy": {"name": "ssp", "threshold": 5}}, notes='=1+1, a "note"\nof two lines'),
    ]
    rows = csv_rows(b"".join(export_runs(runs, "csv", []).pieces))
    assert [row["spec.policy.name"] for row in rows] == ["foresync", "ssp"]
    assert [row["spec.policy.threshold"] for row in rows] == ["", "5"]
    assert rows[1]["notes"] == '\'=1+1, a "note"\nof two lines'
    assert {row["times"] for row in rows} == {"simulated"}
    assert [float(row["summary.utilisation"]) for row in rows] == [one.run["summary"]["utilisation"] for one in runs]
    assert json.loads(rows[0]["summary.workers"]) == runs[0].run["summary"]["workers"]
    table = pq.read_table(io.BytesIO(b"".join(export_runs(runs, "parquet", []).pieces))).to_pylist()
    assert [row["spec.policy.threshold"] for row in table] == [None, 5]
    assert [row["summary.max_lead"] for row in table] == [one.run["summary"]["max_lead"] for one in runs]
    assert json.loads(b"".join(export_runs(runs, "json", []).pieces))["runs"] == [one.run for one in runs]


def test_the_same_from_the_directory_of_a_run(run: MadeRun, tmp_path: Any) -> None:
    (tmp_path / "spec.json").write_text(json.dumps(run.run["spec"]))
    (tmp_path / "events.jsonl").write_bytes(b"".join(line + b"\n" for line in run.lines_made) + b'{"torn')
    source = RunDirectory(tmp_path)
    assert source.run["summary"] == json.loads(json.dumps(run.run["summary"]))
    assert source.run["spec"] == json.loads(json.dumps(run.run["spec"]))
    assert b"".join(export_run(source, "jsonl").pieces) == whole(run, "jsonl")
    assert b"".join(export_run(source, "csv", "iterations").pieces) == whole(run, "csv", "iterations")
