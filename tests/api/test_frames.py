"""What many connections share: one read, which began after each of them asked."""

from __future__ import annotations

import asyncio
import threading

import pytest

from backend.api.frames import Frames, SharedReads
from backend.errors import NotFound
from backend.store.database import Database
from tests.api.server import Server

UNKNOWN = "0" * 16


def test_callers_share_a_read_that_began_after_their_call() -> None:
    may_end = threading.Event()
    reads: list[int] = []

    def read(_: str) -> int:
        reads.append(len(reads) + 1)
        number = reads[-1]
        may_end.wait(30)
        return number

    async def ask() -> list[int]:
        shared = SharedReads(read)
        first = asyncio.create_task(shared.get("run"))
        while not reads:
            await asyncio.sleep(0.001)
        others = [asyncio.create_task(shared.get("run")) for _ in range(5)]
        await asyncio.sleep(0)
        may_end.set()
        return [await first, *[await other for other in others]]

    assert asyncio.run(ask()) == [1, 2, 2, 2, 2, 2]  # not 1: that one may have begun before their wake-up


def test_a_caller_that_goes_away_takes_nothing_from_the_others() -> None:
    gates = [threading.Event(), threading.Event()]
    reads: list[int] = []

    def read(_: str) -> int:
        reads.append(len(reads))
        number = reads[-1]
        gates[number].wait(30)
        return number

    async def ask() -> tuple[int, list[int]]:
        shared = SharedReads(read)
        first = asyncio.create_task(shared.get("run"))
        while not reads:
            await asyncio.sleep(0.001)
        leaving, staying = asyncio.create_task(shared.get("run")), asyncio.create_task(shared.get("run"))
        await asyncio.sleep(0)
        gates[0].set()
        while len(reads) < 2:
            await asyncio.sleep(0.001)
        leaving.cancel()  # it began the read that the other one waits for
        await asyncio.sleep(0.01)
        gates[1].set()
        return await first, [await staying, len(reads)]

    assert asyncio.run(ask()) == (0, [1, 2])


def test_frames_follow_each_other_and_are_kept_within_limits(server: Server, database: Database) -> None:
    run_id = server.submit_run(stop={"iterations": 300}, speed={"kind": "lognormal", "base_s": 0.01})
    last_seq = server.wait_for_state(run_id, "completed")["last_seq"]

    async def read() -> int:
        frames = Frames(database, kept_characters=1_000_000)
        seq = num_characters = 0
        while (frame := await frames.after(run_id, seq)) is not None:
            assert frame.text.startswith(f'{{"type":"events","run_id":"{run_id}","events":[{{"seq":{seq + 1},')
            num_characters += len(frame.text)
            seq = frame.last_seq
            assert await frames.after(run_id, seq) is await frames.after(run_id, seq)
            assert frames.num_kept_characters <= 1_000_000
        assert num_characters > frames.num_kept_characters > 0
        assert not (await frames.state(run_id)).text.startswith("{}")
        for ask in (frames.after(UNKNOWN, 0), frames.state(UNKNOWN)):
            with pytest.raises(NotFound):
                await ask
        return seq

    assert asyncio.run(read()) == last_seq
