"""What if, over HTTP: asked, streamed, kept, refused and cut off."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import psutil
import pytest

from backend.api.what_if_models import WhatIfFrame
from backend.client import Client, Refused
from backend.errors import ExecutorError
from backend.runs.tuning import keep_settings
from backend.store import progress
from backend.store.database import Database
from backend.what_if.desk import MAX_WAITING, Desk
from backend.what_if.helper import Helper
from backend.what_if.request import MAX_POLICIES, Question, expand
from predictor.errors import SpecError
from predictor.events import Retuned
from predictor.policies import POLICIES
from tests.api.server import TOKEN, Server, serving
from tests.backend.checks import wait_for

RUN: dict[str, Any] = {
    "name": "recorded",
    "cluster": {"num_workers": 2},
    "policy": {"name": "ssp", "threshold": 1},
    "speed": {"kind": "lognormal", "base_s": 1.0, "factors": [1, 2], "cv": 0},
    "transfer": {"transfer_s": 0.5},
    "stop": {"iterations": 4, "seconds": None},
}
TIMING = {"name": "timing", "window": 8}


@pytest.fixture
def run_id(server: Server) -> str:
    """Give the run that tests/cli/test_simulate.py works out by hand."""
    run_id = server.submit_run(**RUN)
    server.wait_for_state(run_id, "completed")
    return run_id


def ask(server: Server, run_id: str, body: Any) -> list[dict[str, Any]]:
    answer = server.http.post(f"/runs/{run_id}/what-if", json=body, timeout=60)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/x-ndjson"
    frames = [json.loads(line) for line in answer.text.splitlines()]
    for frame in frames:
        assert WhatIfFrame.model_validate(frame).model_dump(mode="json") == frame
    assert [frames[0]["type"], frames[-1]["type"]] == ["start", "end"]
    return frames


def of_type(frames: list[dict[str, Any]], kind: str) -> list[dict[str, Any]]:
    return [frame for frame in frames if frame["type"] == kind]


def test_of_a_retuned_run_the_settings_in_force_are_the_recorded_ones(server: Server) -> None:
    run_id = server.submit_run(**RUN | {"policy": {"name": "predictive"}})
    server.wait_for_state(run_id, "completed")
    database = Database(server.database_url)
    with database.write() as session:  # as the ingest does with this event
        change = Retuned(1.0, {"alpha": 0.25}, {"name": "median", "window": 3})
        progress.change(session, run_id, keep_settings(session, run_id, [change]))
    database.close()
    assert server.get(f"/runs/{run_id}")["spec"]["policy"]["alpha"] != 0.25
    recorded, bsp = ask(server, run_id, {"policies": [{"name": "bsp"}]})[0]["questions"]
    assert (recorded["policy"]["alpha"], recorded["is_recorded"], bsp["is_recorded"]) == (0.25, True, False)
    assert recorded["forecaster"] == bsp["forecaster"] == {"name": "median", "window": 3}


def test_a_prediction_by_hand_beside_the_recorded_run(server: Server, run_id: str) -> None:
    frames = ask(server, run_id, {"policies": [{"name": "bsp"}]})
    start, (recorded,), predicted = frames[0], of_type(frames, "recorded"), of_type(frames, "predicted")
    assert [(one["policy"], one["is_recorded"]) for one in start["questions"]] == [
        ({"name": "ssp", "threshold": 1}, True),
        ({"name": "bsp"}, False),
    ]
    assert start["last_seq"] == server.get(f"/runs/{run_id}")["last_seq"]
    assert recorded["label"] == "measured"  # the player says so of its times
    again, bsp = sorted(predicted, key=lambda one: one["index"])
    assert recorded["figures"]["makespan_s"] == again["figures"]["makespan_s"] == pytest.approx(9.75)
    assert recorded["figures"]["wait_s"] == again["figures"]["wait_s"] == pytest.approx(0.5)
    assert bsp["figures"]["wait_s"] == pytest.approx(3.0)
    assert (bsp["label"], bsp["problem"], bsp["num_extrapolated"]) == ("predicted", None, 0)
    assert bsp["speedup"] == pytest.approx(recorded["figures"]["makespan_s"] / bsp["figures"]["makespan_s"])
    assert any("nothing about the loss" in sentence for sentence in start["limits"])
    assert frames[-1]["detail"] is None


def test_a_grid_stands_for_its_values_and_every_policy_can_be_asked(server: Server, run_id: str) -> None:
    policies = [{"name": name} for name in POLICIES] + [{"name": "ssp", "threshold": [1, 2, 3]}]
    frames = ask(server, run_id, {"policies": policies})
    questions = frames[0]["questions"]
    thresholds = sorted(one["policy"]["threshold"] for one in questions if one["policy"]["name"] == "ssp")
    assert thresholds == [1, 2, 3]  # the default and the recorded one are each asked once
    assert {one["policy"]["name"] for one in questions} == set(POLICIES)
    predicted = of_type(frames, "predicted")
    assert sorted(one["index"] for one in predicted) == list(range(len(questions)))
    assert all((one["figures"] is None) == (one["problem"] is not None) for one in predicted)
    assert all(one["figures"]["num_iterations"] == 8 for one in predicted if one["figures"])


def test_what_was_answered_is_answered_again_without_a_computation(server: Server, run_id: str) -> None:
    body = {"policies": [{"name": "asp"}, {"name": "ssp", "threshold": 2}]}
    first = ask(server, run_id, body)
    again = ask(server, run_id, {"policies": body["policies"][::-1]})
    assert [frame["type"] for frame in again] == ["start", "recorded", "predicted", "predicted", "predicted", "end"]
    known = {one["index"]: one["figures"] for one in of_type(first, "predicted")}
    fresh = {one["index"]: one["figures"] for one in of_type(again, "predicted")}
    assert fresh == {0: known[0], 1: known[2], 2: known[1]}


def test_a_forecaster_of_its_own(server: Server, run_id: str) -> None:
    body = {
        "policies": [{"name": "foresync"}, {"name": "foresync", "forecaster": {"name": "median", "window": 4}}],
        "forecaster": {"name": "last_value"},
    }
    frames = ask(server, run_id, body)
    asked = [one["forecaster"]["name"] for one in frames[0]["questions"]]
    assert asked == ["timing", "last_value", "median"]


@pytest.mark.parametrize(
    ("body", "field", "wish"),
    [
        ({"policies": []}, "policies", "needs at least 1"),
        ({}, "policies", "is required"),
        ({"policies": [{"name": "fly"}]}, "policies.0.name", "must be one of"),
        ({"policies": [{"threshold": 3}]}, "policies.0.name", "is required"),
        ({"policies": [{"name": "ssp", "threshold": [1, -1]}]}, "policies.0.threshold", "must be >= 0"),
        ({"policies": [{"name": "bsp"}, {"name": "bsp", "speed": 1}]}, "policies.1.speed", "is not a known key"),
        ({"policies": [{"name": "ssp", "threshold": []}]}, "policies.0.threshold", "needs at least one value"),
        ({"policies": [{"name": "bsp", "forecaster": {"name": "no"}}]}, "policies.0.forecaster.name", "must be one of"),
        ({"policies": [{"name": "bsp"}], "fast": True}, "fast", "is not a known key"),
        ({"policies": [{"name": "ssp", "threshold": list(range(65))}]}, "policies", "may stand for at most 64"),
    ],
)
def test_a_wrong_question_is_refused_in_one_sentence(
    server: Server, run_id: str, body: Any, field: str, wish: str
) -> None:
    answer = server.http.post(f"/runs/{run_id}/what-if", json=body)
    assert answer.status_code == 422
    errors = answer.json()["errors"]
    assert any(one["field"] == field and wish in one["wish"] for one in errors), errors


def test_a_run_that_holds_no_times_is_refused(server: Server) -> None:
    run_id = server.submit_run(**{**RUN, "stop": {"seconds": 60}})
    answer = server.http.post(f"/runs/{run_id}/what-if", json={"policies": [{"name": "bsp"}]})
    assert answer.status_code == 409
    assert answer.json()["detail"] == "The run has no finished iteration, so there are no times to predict with."
    unknown = server.http.post("/runs/0000000000000000/what-if", json={"policies": [{"name": "bsp"}]})
    assert unknown.status_code == 404


def test_the_client_ranks_the_policies(server: Server, run_id: str) -> None:
    with Client(server.url, TOKEN) as client:
        answer = client.what_if(run_id, [{"name": "bsp"}, {"name": "ssp", "threshold": [0, 8]}])
        ranked = answer.ranked()
        makespans = [one.figures.makespan_s for _, one in ranked if one.figures]
        assert makespans == sorted(makespans)
        assert [policy["name"] for policy, _ in ranked].count("ssp") == 3
        assert answer.recorded.figures.makespan_s == pytest.approx(9.75)
        with pytest.raises(Refused, match=r"policies\.0\.name must be one of"):
            client.what_if(run_id, [{"name": "fly"}])


def test_who_goes_away_ends_the_computation(tmp_path: Path) -> None:
    with serving(tmp_path / "home", f"sqlite:///{tmp_path / 'home' / 'foresync.db'}") as server:
        others = computing()  # of servers that earlier tests have asked
        run_id = server.submit_run(**{**RUN, "stop": {"iterations": 3_000, "seconds": None}})
        server.wait_for_state(run_id, "completed")
        body = {"policies": [{"name": "predictive", "horizon": [1 + number / 8 for number in range(60)]}]}
        with server.http.stream("POST", f"/runs/{run_id}/what-if", json=body, timeout=60) as answer:
            lines = answer.iter_lines()
            while json.loads(next(lines))["type"] != "predicted":
                pass
            assert len(computing(others)) == 1
        wait_for(lambda: computing(others) == [], "the computation ends")
        frames = ask(server, run_id, {"policies": [{"name": "bsp"}]})  # the next one is not held up
        assert frames[-1]["detail"] is None


def computing(others: Sequence[psutil.Process] = ()) -> list[psutil.Process]:
    """Give the processes of this one's children that compute predictions, but for some."""
    found = []
    for process in psutil.Process().children(recursive=True):
        if process in others:
            continue
        try:
            if "backend.what_if.program" in process.cmdline() and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
        except psutil.NoSuchProcess:
            continue
    return found


# ---- the desk --------------------------------------------------------------------------------------------

QUESTIONS = expand([{"name": "bsp"}, {"name": "asp"}], TIMING)


def desk_of(script: str, **options: Any) -> Desk:
    return Desk((sys.executable, "-c", script), **options)


async def collect(desk: Desk, questions: list[Question] | None = None) -> list[dict[str, Any]]:
    return [frame async for frame in desk.ask("sqlite://", "r", 1, questions or QUESTIONS)]


ANSWERS = """
import json, sys
order = json.loads(sys.stdin.readline())
print(json.dumps({"type": "recorded", "figures": {}}), flush=True)
for question in order["questions"]:
    print(json.dumps({"type": "predicted", "question": question, "figures": {}}), flush=True)
"""


def test_only_what_is_not_known_is_computed() -> None:
    desk = desk_of(ANSWERS)

    async def main() -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
        return await collect(desk, QUESTIONS[:1]), await collect(desk)

    first, second = asyncio.run(main())
    assert [frame["type"] for frame in first if frame["type"] != "reading"] == ["recorded", "predicted"]
    told = [(frame["type"], frame.get("index")) for frame in second if frame["type"] not in ("reading", "predicting")]
    assert told == [("recorded", None), ("predicted", 0), ("predicted", 1)]


COUNTS_ORDERS = """
import json, os, sys
for line in sys.stdin:
    print(json.dumps({"type": "recorded", "pid": os.getpid()}), flush=True)
    for question in json.loads(line)["questions"]:
        print(json.dumps({"type": "predicted", "question": question}), flush=True)
    print('{"type": "done"}', flush=True)
"""


async def pid_of(desk: Desk, run_id: str) -> int:
    """Ask about a run, and give who has answered."""
    frames = [frame async for frame in desk.ask("sqlite://", run_id, 1, QUESTIONS)]
    assert [frame["type"] for frame in frames[-3:]] == ["recorded", "predicted", "predicted"]
    return int(frames[-3]["pid"])


def test_the_process_is_kept_for_the_next_question_and_ends_with_the_desk() -> None:
    async def main() -> tuple[int, int]:
        desk = desk_of(COUNTS_ORDERS)
        pids = await pid_of(desk, "a"), await pid_of(desk, "b")
        await desk.close()
        return pids

    first, second = asyncio.run(main())
    assert first == second
    assert not psutil.pid_exists(first)


def test_a_process_that_died_while_it_had_nothing_to_do_is_replaced() -> None:
    async def main() -> tuple[int, int]:
        desk = desk_of(COUNTS_ORDERS)
        first = await pid_of(desk, "a")
        psutil.Process(first).kill()
        second = await pid_of(desk, "b")
        await desk.close()
        return first, second

    first, second = asyncio.run(main())
    assert first != second


def test_a_process_that_has_nothing_to_do_for_long_is_let_go() -> None:
    async def main() -> int:
        helper = Helper((sys.executable, "-c", COUNTS_ORDERS), idle_s=0.0)
        async for frame in helper.work({"questions": []}):
            if frame is not None:
                pid = int(frame["pid"])
        while psutil.pid_exists(pid):
            await asyncio.sleep(0.01)
        return pid

    asyncio.run(asyncio.wait_for(main(), 30))


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("import os, signal; os.kill(os.getpid(), signal.SIGXCPU)", "it took more than 600 s of computing"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", "no memory for it"),
        ("raise SystemExit(3)", "ended with exit code 3"),
    ],
)
def test_a_computation_that_breaks_says_why(script: str, said: str) -> None:
    desk = desk_of(script)
    frames = asyncio.run(collect(desk))
    assert frames[-1]["type"] == "failed"
    assert said in frames[-1]["detail"]


def test_one_computes_at_a_time_and_not_too_many_wait() -> None:
    desk = desk_of("__import__('time').sleep(600)")

    async def first_of(asked: Any) -> dict[str, Any]:
        async for frame in asked:
            return dict(frame)
        return {}

    async def main() -> None:
        streams = [desk.ask("sqlite://", str(number), 1, QUESTIONS) for number in range(MAX_WAITING + 1)]
        firsts = [await first_of(asked) for asked in streams[:1]]
        waiting = [asyncio.ensure_future(_drain(asked)) for asked in streams[1:]]
        await asyncio.sleep(0.1)
        with pytest.raises(ExecutorError, match="wait already"):
            await first_of(desk.ask("sqlite://", "one more", 1, QUESTIONS))
        assert firsts[0]["type"] == "reading"
        for one in waiting:
            one.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
        await streams[0].aclose()

    async def _drain(asked: Any) -> None:
        async for _ in asked:
            pass

    asyncio.run(main())


def test_expanding_keeps_each_question_once() -> None:
    questions = expand([{"name": "ssp", "threshold": [1, 3]}, {"name": "ssp"}, {"name": "ssp", "threshold": 3}], TIMING)
    assert [one.policy["threshold"] for one in questions] == [1, 3]
    with pytest.raises(SpecError, match=f"at most {MAX_POLICIES}"):
        expand([{"name": "ssp", "threshold": list(range(MAX_POLICIES + 1))}], TIMING)
    many = {"name": "dssp", "threshold_low": [3] * 10_000, "threshold_high": [15] * 10_000}
    assert len(expand([many], TIMING)) == 1  # not 10^8 times the same
    with pytest.raises(SpecError, match=f"at most {MAX_POLICIES}"):
        expand([many | {"threshold_low": list(range(10_000)), "threshold_high": list(range(10_000))}], TIMING)
