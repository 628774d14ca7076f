"""The Python client against a real server, on both databases."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from backend.api import schemas
from backend.client import Client, ClientError, Refused, Unreachable
from backend.client.figures import curves
from predictor.events import IterationReported, RunFinished, RunStarted
from predictor.spec import ExperimentSpec
from tests.api.server import TOKEN, Server

QUICK = {"stop": {"iterations": 3}, "speed": {"kind": "lognormal", "base_s": 0.01}}
SPEC = ExperimentSpec("by client", QUICK, {"policy": [{"name": "bsp"}, {"name": "asp"}]}, [1, 2])


@pytest.fixture
def client(server: Server) -> Iterator[Client]:
    with Client(f"{server.url}/?token={TOKEN}") as opened:
        yield opened


def test_an_experiment_from_submission_to_comparison(client: Client) -> None:
    assert client.health().status == "ok"
    assert [model.name for model in client.catalogue().models] == ["mlp", "lenet5"]
    assert len(client.check(SPEC).runs) == client.estimate(SPEC).num_runs == 4
    progress: list[int] = []
    started = client.submit(SPEC)
    done = client.wait(started.id, on_progress=lambda now: progress.append(now.num_done), poll_s=0.02)
    assert (progress[-1], progress) == (4, sorted(progress))
    assert [run.state for run in done.runs] == ["completed"] * 4
    assert [one.id for one in client.experiments()] == [started.id]
    assert client.experiment(started.id) == done

    first, *_, last = done.runs
    assert first.summary.num_iterations == 12
    assert [run.id for run in client.runs(policy=["bsp"], sort="created_at")] == list(done.run_ids[:2])
    assert {one.path for one in client.compare([first.id, last.id]).differences} == {"policy.name", "seed"}
    assert client.curves(first.id).evaluations.accuracy == [0.5]
    assert client.log_text(first.id) == f"playing {first.id}\n"
    events = list(client.events(first.id))
    assert [seq for seq, _ in events] == list(range(1, first.last_seq + 1))
    assert isinstance(events[0][1], RunStarted)
    assert isinstance(events[-1][1], RunFinished)
    client.delete(last.id)
    client.delete_experiment(started.id)
    assert client.experiments() == []


def test_a_figure_holds_a_curve_for_each_run(client: Client) -> None:
    done = client.wait(client.submit(SPEC).id, poll_s=0.02)
    figure = curves(client, done.run_ids[:2], "accuracy", "iterations")
    drawn = [client.curves(run_id).evaluations for run_id in done.run_ids[:2]]
    assert [list(line.y) for line in figure.data] == [points.accuracy for points in drawn]
    assert [list(line.x) for line in figure.data] == [points.iterations for points in drawn]
    assert [line.name for line in figure.data] == ["by client: bsp, seed 1", "by client: bsp, seed 2"]
    assert len({line.line.dash for line in figure.data}) == 2
    with pytest.raises(Refused):
        curves(client, ["no-such-run"])


def test_lists_go_over_all_pages(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("backend.client.client.PAGE_SIZE", 2)
    started = client.submit(ExperimentSpec("pages", QUICK, {}, [1, 2, 3, 4, 5]))
    assert [run.id for run in client.runs(sort="created_at")] == started.run_ids
    monkeypatch.setattr("backend.client.client.EVENTS_PER_REQUEST", 10)
    done = client.wait(started.id, poll_s=0.02)
    assert [seq for seq, _ in client.events(started.run_ids[0])] == list(range(1, done.runs[0].last_seq + 1))


def test_events_are_followed_to_the_end(client: Client, server: Server) -> None:
    run_id = client.submit({"name": "followed", "run": {}}).run_ids[0]
    server.wait_for_state(run_id, "running")
    seen: list[int] = []
    for seq, event in client.events(run_id, follow=True, poll_s=0.01):
        seen.append(seq)
        if seq < 5:
            server.say(run_id, IterationReported(seq / 10, 0, seq, 0.1, seq / 10, False))
        elif not isinstance(event, RunFinished):
            server.say(run_id, RunFinished(1.0, "completed", "Done."))
    assert seen == [1, 2, 3, 4, 5, 6]


def test_a_run_is_changed_stopped_cloned_and_resumed(client: Client, server: Server) -> None:
    run_id = client.submit({"name": "steered", "run": {}}).run_ids[0]
    server.wait_for_state(run_id, "running")
    assert client.change(run_id, name="Mine", tags=["x"]).tags == ["x"]
    assert client.change(run_id, notes="Well.").name == "Mine"
    assert client.queue().running == [run_id]
    client.stop(run_id)
    server.wait_for_state(run_id, "stopped")
    clone = client.clone(run_id, {"policy": {"name": "ssp", "threshold": 5}}, name="Clone")
    assert (clone.parent_id, clone.name, clone.spec.policy.name) == (run_id, "Clone", "ssp")
    assert client.resume(run_id).id == run_id


def test_the_same_key_submits_once(client: Client) -> None:
    assert client.submit(SPEC, idempotency_key="k").id == client.submit(SPEC, idempotency_key="k").id
    assert client.submit(SPEC).id != client.submit(SPEC).id


def test_a_wait_may_end_without_an_end(client: Client) -> None:
    started = client.submit({"name": "endless", "run": {}})
    with pytest.raises(TimeoutError, match="0 of 1 runs of 'endless'"):
        client.wait(started.id, poll_s=0.01, timeout_s=0.05)


def test_a_problem_is_raised_with_its_sentence(client: Client, server: Server) -> None:
    with pytest.raises(Refused, match=r"policy\.threshold must be >= 0, got -1") as refused:
        client.submit({"name": "wrong", "run": {"policy": {"name": "ssp", "threshold": -1}}})
    assert refused.value.status == 422
    wish = schemas.FieldProblem(field="policy.threshold", value=-1, wish="must be >= 0")
    assert refused.value.problem.errors == [wish]
    for identifier in ("0123456789abcdef", "../queue", "a/b", ""):
        with pytest.raises(ClientError):
            client.run(identifier)
    with Client(server.url, "wrong") as stranger, pytest.raises(Refused, match="token"):
        stranger.queue()


def test_a_server_that_is_not_there_is_named() -> None:
    with Client("http://127.0.0.1:9", TOKEN) as client, pytest.raises(Unreachable, match=r"127\.0\.0\.1:9"):
        client.health()
    for url in ("", "127.0.0.1:8000", "ftp://x"):
        with pytest.raises(ClientError, match="must look like"):
            Client(url)


def test_another_program_on_the_port_is_told() -> None:
    transport = httpx.MockTransport(lambda _: httpx.Response(418, text="I am a teapot."))
    with Client("http://pot.example", transport=transport) as client, pytest.raises(ClientError, match="418"):
        client.health()
