"""What a page holds of the API's answers: the same as the API gives, as text that stays text, only for its user."""

from __future__ import annotations

import asyncio
import json
import re
from html import unescape

import pytest
from starlette.types import Scope

from backend import first_answers
from backend.first_answers import block, written
from backend.runs.manager import RunManager
from tests.api.server import Server

BLOCK = re.compile(rb'<script type="application/json" data-answer="([^"]*)">(.*?)</script>', re.DOTALL)


@pytest.fixture
def _patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """However busy this machine is, the answers come in time."""
    monkeypatch.setattr(first_answers, "LONGEST_S", 30.0)


def blocks(page: bytes) -> dict[str, object]:
    return {unescape(address.decode()): json.loads(answer) for address, answer in BLOCK.findall(page)}


@pytest.mark.usefixtures("_patient")
def test_a_page_holds_what_the_api_would_answer(quiet_server: Server) -> None:
    response = quiet_server.http.get(f"{quiet_server.url}/experiments")
    held = blocks(response.content)
    assert response.headers["cache-control"] == "no-store"
    assert response.content.rstrip().endswith(b"</html>")
    for address in ("/api/v1/experiments", "/api/v1/queue"):
        assert held[address] == quiet_server.get(address.removeprefix("/api/v1"))


@pytest.mark.usefixtures("_patient")
def test_a_page_does_not_wait_for_a_catalogue_that_is_not_known_yet(
    quiet_server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = quiet_server.get("/catalogue")
    page = f"{quiet_server.url}/experiments"
    assert blocks(quiet_server.http.get(page).content)["/api/v1/catalogue"] == known
    monkeypatch.setattr(RunManager, "is_catalogue_known", False)
    assert "/api/v1/catalogue" not in blocks(quiet_server.http.get(page).content)


@pytest.mark.usefixtures("_patient")
def test_what_the_api_refuses_is_left_to_the_page(quiet_server: Server) -> None:
    held = blocks(quiet_server.http.get(f"{quiet_server.url}/runs/0000000000000000").content)
    assert "/api/v1/queue" in held
    assert not [address for address in held if "runs" in address]


def test_without_the_token_a_page_holds_nothing(quiet_server: Server) -> None:
    response = quiet_server.http.get(f"{quiet_server.url}/experiments", headers={"Authorization": "Bearer wrong"})
    assert response.status_code == 401
    assert blocks(response.content) == {}


def test_no_text_of_an_answer_or_an_address_ends_its_block() -> None:
    answer = {"name": "</script><script>steal()</script><!--"}
    text = block('runs/rows?filter="><b>', json.dumps(answer).encode())
    assert text.count(b"<") == 2  # its own beginning and end
    assert blocks(text) == {'/api/v1/runs/rows?filter="><b>': answer}


def test_a_page_does_not_wait_for_a_late_or_failed_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(first_answers, "LONGEST_S", 0.01)

    async def ask(scope: Scope, address: str) -> bytes | None:
        if address == "late":
            await asyncio.Event().wait()
        if address == "broken":
            raise OSError("the disk is gone")
        return b"1"

    async def read() -> bytes:
        return b"".join([one async for one in written("<body></body></html>", {}, ["late", "broken", "known"], ask)])

    page = asyncio.run(read())
    assert blocks(page) == {"/api/v1/known": 1}
    assert page.endswith(b"</body></html>")
