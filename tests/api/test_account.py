"""The account of a run: as its model says, the same in one piece and in many, and while the run goes on."""

from __future__ import annotations

import json
import zlib
from typing import Any

import pytest
from sqlalchemy import select, update

from backend import account_cache
from backend.account_cache import AccountCache, describe, version
from backend.api import account_models
from backend.client import Client
from backend.errors import NotFound
from backend.store.database import Database
from backend.store.tables import RunAccount
from predictor.accounting import KINDS, PART_KEYS, Account
from predictor.events import EVENTS, IterationFinished, RunFinished, WorkerJoined
from tests.api.server import TOKEN, Server, check_model
from tests.backend.checks import read_all, wait_for

PLAYED = {
    "cluster": {"num_workers": 3},
    "policy": {"name": "ssp", "threshold": 1},
    "speed": {"kind": "lognormal", "base_s": 0.01, "factors": [1, 1, 3]},
}


@pytest.fixture(autouse=True)
def short_readings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a run of some thousand events be a long one."""
    monkeypatch.setattr(account_cache, "SEQS_PER_READ", 1_000)


@pytest.fixture
def played_id(server: Server) -> str:
    """Give a finished run of some thousand events."""
    done = server.wait_until_done(server.submit(run={**PLAYED, "stop": {"iterations": 400}}))
    run_id: str = done["run_ids"][0]
    return run_id


def folded(server: Server, run_id: str) -> dict[str, Any]:
    """Give the account that a fold over all events gives."""
    account, after = Account(), 0
    while True:
        page = server.get(f"/runs/{run_id}/events", after=after)
        for event in page["events"]:
            if event["kind"] in KINDS:
                account.update(event)
        if page["last_seq"] == after:
            return json.loads(json.dumps(describe(run_id, account)))
        after = page["last_seq"]


def test_the_account_is_that_of_all_events_and_adds_up(server: Server, played_id: str) -> None:
    shown = check_model(account_models.Account, server.get(f"/runs/{played_id}/account"))
    assert shown == folded(server, played_id)
    assert (shown["is_complete"], shown["is_finished"], shown["counted_share"]) == (True, True, 1.0)
    assert shown["basis"] == {"times": "measured", "bytes": "measured", "predictions": "predicted"}
    assert [part["key"] for part in shown["part_words"]] == [*PART_KEYS, "unaccounted"]
    assert set(account_models.AccountParts.model_fields) == set(PART_KEYS)
    for row in shown["workers"]:
        assert sum(row["parts"].values()) + row["unaccounted_s"] == pytest.approx(row["wall_s"], abs=1e-6)
    assert "worker 2" in shown["answer"][0]


def test_a_long_log_is_counted_in_pieces(server: Server, database: Database, played_id: str) -> None:
    last_seq = server.get(f"/runs/{played_id}")["last_seq"]
    assert last_seq > 4_000
    cache = AccountCache(database, seqs_per_call=1)  # a piece is a whole reading
    shares = [cache.read(played_id)["counted_share"]]
    while shares[-1] < 1:
        shares.append(cache.read(played_id)["counted_share"])
    assert len(shares) > 4
    assert shares == sorted(set(shares))
    found = cache.read(played_id)
    assert found == {**AccountCache(database).read(played_id)}


def kept_seq(database: Database, run_id: str) -> int | None:
    with database.read() as session:
        found = session.scalar(select(RunAccount.last_seq).where(RunAccount.run_id == run_id))
    return None if found is None else int(found)


def wait_until_kept(server: Server, database: Database, run_id: str) -> None:
    last_seq = server.get(f"/runs/{run_id}")["last_seq"]
    wait_for(lambda: kept_seq(database, run_id) == last_seq, "the account is kept")


def test_the_account_of_an_ended_run_is_kept_before_anybody_asks(
    server: Server, database: Database, played_id: str
) -> None:
    wait_until_kept(server, database, played_id)
    restarted = AccountCache(database, seqs_per_call=1)  # would count a whole reading, and not all
    assert json.loads(json.dumps(restarted.read(played_id))) == folded(server, played_id)
    server.http.delete(f"/runs/{played_id}?now=true").raise_for_status()
    assert kept_seq(database, played_id) is None


@pytest.mark.parametrize(
    "change",
    [
        {"version": "of an older accounting"},
        {"data": b"no account"},
        {"data": zlib.compress(b'{"of": "Account", "items": [["_ledgers", {"of": "list"}]]}')},
    ],
)
def test_what_cannot_be_believed_is_counted_anew(
    server: Server, database: Database, played_id: str, change: dict[str, Any]
) -> None:
    wait_until_kept(server, database, played_id)
    with database.write() as session:
        session.execute(update(RunAccount).where(RunAccount.run_id == played_id).values(change))
    assert AccountCache(database, seqs_per_call=1).read(played_id)["counted_share"] < 1
    assert json.loads(json.dumps(AccountCache(database).read(played_id))) == folded(server, played_id)
    with database.read() as session:
        kept = session.scalar(select(RunAccount.version).where(RunAccount.run_id == played_id))
    assert kept == version()


def test_a_run_that_goes_on_is_counted_on(server: Server, database: Database) -> None:
    run_id = server.submit_run()
    server.wait_for_state(run_id, "running")
    server.say(run_id, WorkerJoined(0.5, 0, 0, 0))
    wait_for(lambda: server.get(f"/runs/{run_id}")["last_seq"] == 2, "the event is stored")
    cache = AccountCache(database, seqs_per_save=1)
    assert len(cache.read(run_id)["workers"]) == 1
    assert kept_seq(database, run_id) == 2
    server.say(run_id, RunFinished(3.0, "completed", "Done."))
    server.wait_for_state(run_id, "completed")
    restarted = AccountCache(database).read(run_id)
    assert restarted == cache.read(run_id)
    assert restarted["is_finished"]
    assert restarted == describe(run_id, counted(database, run_id))


def counted(database: Database, run_id: str) -> Account:
    account = Account()
    for event in read_all(database, run_id):
        if event["kind"] in KINDS:
            account.update(event)
    return account


def test_what_is_not_kept_is_counted_again(server: Server, database: Database, played_id: str) -> None:
    other = server.wait_until_done(server.submit(run={**PLAYED, "stop": {"iterations": 3}}))["run_ids"][0]
    cache = AccountCache(database, max_runs=1)
    first = cache.read(played_id)
    assert cache.read(other)["run_id"] == other
    assert cache.read(played_id) == first


def test_a_run_that_trains_has_an_account_so_far(server: Server) -> None:
    run_id = server.submit_run()
    server.wait_for_state(run_id, "running")
    empty = check_model(account_models.Account, server.get(f"/runs/{run_id}/account"))
    assert (empty["workers"], empty["answer"], empty["is_finished"]) == ([], ["No worker has joined yet."], False)
    step = IterationFinished(2.0, 0, 1, 0, 0.5, 1.5, 0.0, 1.0, 32, 0.0)
    server.say(run_id, WorkerJoined(0.5, 0, 0, 0), step)
    wait_for(lambda: server.get(f"/runs/{run_id}")["last_seq"] == 3, "the events are stored")
    so_far = check_model(account_models.Account, server.get(f"/runs/{run_id}/account"))
    assert [(row["wall_s"], row["parts"]["compute"]) for row in so_far["workers"]] == [(1.5, 1.5)]
    server.say(run_id, RunFinished(3.0, "completed", "Done."))
    server.wait_for_state(run_id, "completed")
    assert server.get(f"/runs/{run_id}/account")["is_finished"]


def test_an_unknown_run_has_none(server: Server, database: Database) -> None:
    answer = server.http.get("/runs/0000000000000000/account")
    assert answer.status_code == 404
    assert "0000000000000000" in answer.json()["detail"]
    with pytest.raises(NotFound):
        AccountCache(database).read("0000000000000000")
    assert server.http.get("/runs/0000000000000000/account", params={"part": "wait"}).status_code == 422


def test_the_client_asks_until_all_is_counted(server: Server, played_id: str) -> None:
    with Client(f"{server.url}/?token={TOKEN}") as client:
        account = client.account(played_id)
    assert account.is_complete
    assert account.total.parts.wait > 0


def test_only_kinds_of_events_that_there_are_count() -> None:
    assert set(KINDS) <= set(EVENTS)
