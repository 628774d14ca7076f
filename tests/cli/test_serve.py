"""`foresync serve` as a process: one line, a token, and a clean end."""

from __future__ import annotations

import json
import signal
import subprocess
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import psutil
import pytest

from backend.client import Client
from tests.cli.here import Answer, Here
from tests.cli.program import LIMIT_S, serving

LONG = {
    "name": "long",
    "run": {
        "cluster": {"num_workers": 2},
        "policy": {"name": "asp"},
        "speed": {"kind": "lognormal", "base_s": 0.02},
        "stop": {"seconds": 600},
    },
}


def end(process: subprocess.Popen[str], number: signal.Signals) -> tuple[int, str]:
    process.send_signal(number)
    _, errors = process.communicate(timeout=LIMIT_S)
    return process.returncode, errors


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_url_opens_and_a_signal_ends_with_0(tmp_path: Path, number: signal.Signals) -> None:
    with serving(tmp_path) as (process, url):
        parts = urlsplit(url)
        [token] = parse_qs(parts.query)["token"]
        assert token == (tmp_path / "token").read_text().strip()
        base = f"http://{parts.netloc}"
        assert httpx.get(f"{base}/api/v1/health").json()["status"] == "ok"
        assert httpx.get(f"{base}/api/v1/runs").status_code == 401
        assert httpx.get(f"{base}/api/v1/runs", headers={"Authorization": f"Bearer {token}"}).json()["total"] == 0
        assert end(process, number) == (0, "foresync: stopping\n")


def test_a_signal_stops_the_runs_with_a_checkpoint_and_leaves_no_process(tmp_path: Path) -> None:
    with serving(tmp_path) as (process, url):
        with Client(url) as client:
            [run_id] = client.submit(LONG).run_ids
            seen = next(event for _, event in client.events(run_id, kinds=["IterationFinished"], follow=True))
            assert seen.at_s > 0
        mine = {child.pid for child in psutil.Process(process.pid).children(recursive=True)}
        mine |= {int(pid) for pid in (tmp_path / "runs" / run_id / "lock").read_text().split()}
        assert mine
        code, _ = end(process, signal.SIGINT)
        assert code == 0
        assert [pid for pid in mine if psutil.pid_exists(pid)] == []
        assert (tmp_path / "runs" / run_id / "checkpoints" / "checkpoint.npz").is_file()
    with serving(tmp_path) as (_, url), Client(url) as client:
        assert client.run(run_id).state == "stopped"


def test_runs_and_compare_find_the_token_in_the_home(here: Here, tmp_path: Path) -> None:
    short = {**LONG, "run": {**LONG["run"], "stop": {"iterations": 10}}, "seeds": [1, 2]}  # type: ignore[dict-item]
    with serving(tmp_path) as (_, url):
        base = url.partition("?")[0]
        assert here(tmp_path, "runs", "--url", base) == Answer(0, "There are no runs yet.\n", "")
        with Client(url) as client:
            experiment = client.wait(client.submit(short).id, timeout_s=LIMIT_S)
        listed = here(tmp_path, "runs", "--url", base)
        assert listed.code == 0
        assert all(run_id in listed.out for run_id in experiment.run_ids)
        data = json.loads(here(tmp_path, "runs", "--url", base, "--json", "--limit", "1").out)
        assert [run["id"] for run in data] == [experiment.run_ids[-1]]
        compared = here(tmp_path, "compare", *experiment.run_ids, "--url", base)
        assert compared.code == 0
        assert "waiting of worker 1" in compared.out
        assert "seed: 1, 2" in compared.out
        unknown = here(tmp_path, "compare", "0" * 16, "--url", base)
        assert unknown.code == 1
        assert "0" * 16 in unknown.err


def test_a_killed_server_comes_back_to_a_run_that_trained_on_and_misses_nothing(tmp_path: Path) -> None:
    speed = {"kind": "lognormal", "base_s": 0.05}
    short = {**LONG, "run": {**LONG["run"], "speed": speed, "stop": {"iterations": 300}}}
    with serving(tmp_path) as (process, url):
        with Client(url) as client:
            [run_id] = client.submit(short).run_ids
            next(event for _, event in client.events(run_id, kinds=["IterationFinished"], follow=True))
        process.kill()
        process.wait(LIMIT_S)
    with serving(tmp_path) as (_, url), Client(url) as client:
        assert client.run(run_id).state == "running"
        events = list(client.events(run_id, follow=True))
        assert [seq for seq, _ in events] == list(range(1, len(events) + 1))
        kinds = [type(event).__name__ for _, event in events]
        assert (kinds[0], kinds[-1], kinds.count("RunStarted"), kinds.count("RunFinished")) == (
            "RunStarted",
            "RunFinished",
            1,
            1,
        )
        assert kinds.count("IterationFinished") == 600
    logged = (tmp_path / "runs" / run_id / "events.jsonl").read_text().splitlines()
    assert [json.loads(line)["seq"] for line in logged] == [seq for seq, _ in events]
