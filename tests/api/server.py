"""A real server inside the test process, and what tests ask of it as a user would."""

from __future__ import annotations

import contextlib
import json
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import uvicorn
from pydantic import BaseModel

from backend.app import server_config
from backend.settings import Settings
from predictor import log
from predictor.events import Event
from tests.backend.checks import wait_for

TOKEN = "a-token-for-tests"
PLAYER = (sys.executable, "-m", "tests.api.player")  # from the root of the repository


@dataclass(frozen=True)
class Server:
    """A server that listens."""

    port: int
    home: Path
    database_url: str
    http: httpx.Client  # with the token

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def live_url(self, run_id: str, after: int | None = None) -> str:
        query = "" if after is None else f"?after={after}"
        return f"ws://127.0.0.1:{self.port}/api/v1/runs/{run_id}/live{query}"

    def get(self, path: str, **query: Any) -> Any:
        answer = self.http.get(path, params=query)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def submit(self, name: str = "an experiment", **parts: Any) -> dict[str, Any]:
        """Start an experiment, and give it."""
        answer = self.http.post("/experiments", json={"name": name, "run": {}, **parts})
        assert answer.status_code == 201, answer.text
        created: dict[str, Any] = answer.json()
        return created

    def submit_run(self, **run: Any) -> str:
        """Start an experiment of one run, and give the run's id."""
        run_id: str = self.submit(run=run)["run_ids"][0]
        return run_id

    def wait_for_state(self, run_id: str, *states: str) -> dict[str, Any]:
        """Wait until a run is in one of the states, and give it."""
        wait_for(lambda: self.get(f"/runs/{run_id}")["state"] in states, f"run {run_id} becomes {states}")
        run: dict[str, Any] = self.get(f"/runs/{run_id}")
        return run

    def wait_until_done(self, experiment: dict[str, Any]) -> dict[str, Any]:
        """Wait until all runs of an experiment have ended, and give the experiment."""
        path = f"/experiments/{experiment['id']}"
        wait_for(lambda: self.get(path)["num_done"] == experiment["num_runs"], "all runs end")
        done: dict[str, Any] = self.get(path)
        return done

    def say(self, run_id: str, *said: Event | str) -> None:
        """Have the player of a run that trains append events, or die."""
        lines = [json.dumps(one) if isinstance(one, str) else log.encode(one).decode() for one in said]
        with (self.home / "runs" / run_id / "say.jsonl").open("a") as file:
            file.write("".join(f"{line}\n" for line in lines))


def check_model(model: type[BaseModel], data: Any) -> Any:
    """Hold an answer against its model: nothing missing, nothing more, nothing changed. Give it as the model has it."""
    shown = model.model_validate(data).model_dump(mode="json", by_alias=True, exclude_unset=True)
    assert shown == data
    assert set(data) >= {field.alias or name for name, field in model.model_fields.items() if field.is_required()}
    return shown


@contextlib.contextmanager
def serving(
    home: Path,
    database_url: str,
    *,
    worker_command: tuple[str, ...] = PLAYER,
    allowed_hosts: tuple[str, ...] = (),
    concurrency: int = 2,
    send_timeout_s: float = 10.0,
) -> Iterator[Server]:
    """Serve on a free port inside the block."""
    (home / "runs").mkdir(parents=True)
    settings = Settings(
        home=home,
        database_url=database_url,
        token=TOKEN,
        port=0,
        concurrency=concurrency,
        allowed_hosts=allowed_hosts,
        worker_command=worker_command,
    )
    program = uvicorn.Server(server_config(settings, send_timeout_s=send_timeout_s))
    thread = threading.Thread(target=program.run)
    thread.start()
    try:
        wait_for(lambda: program.started or not thread.is_alive(), "the server starts")
        port = program.servers[0].sockets[0].getsockname()[1]
        headers = {"Authorization": f"Bearer {TOKEN}"}
        with httpx.Client(base_url=f"http://127.0.0.1:{port}/api/v1", headers=headers, timeout=30) as http:
            yield Server(port, home, database_url, http)
    finally:
        program.should_exit = True
        thread.join()
