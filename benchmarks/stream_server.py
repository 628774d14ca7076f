"""The server that is measured, in a process of its own, and what the measurements ask of it.

python -m benchmarks.stream_server HOME PORT [COMMAND THAT TRAINS ...]
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import psutil

from backend.cli.serve import serve
from backend.settings import Settings

TOKEN = "a-token-for-measurements"
HEADERS = {"Authorization": f"Bearer {TOKEN}"}
ROOT = Path(__file__).resolve().parent.parent
PLAYER = (sys.executable, "-m", "benchmarks.stream_player")
START_S = 180  # on a machine that is busy


def main(home: str, port: str, *worker_command: str) -> None:
    settings = Settings(
        home=Path(home),
        database_url=f"sqlite:///{home}/foresync.db",
        token=TOKEN,
        port=int(port),
        concurrency=4,
        keep_runs=True,
        worker_command=worker_command or PLAYER,
    )
    serve(settings)


class Server:
    """A server process; it can be killed and started again on the same home and port."""

    def __init__(self, home: Path, port: int, worker_command: tuple[str, ...] = PLAYER) -> None:
        (home / "runs").mkdir(parents=True, exist_ok=True)
        self.home = home
        self.port = port
        self._worker_command = worker_command
        self.http = httpx.Client(base_url=f"http://127.0.0.1:{port}/api/v1", headers=HEADERS, timeout=30)
        self.start()

    def start(self) -> None:
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
        command = [sys.executable, "-m", "benchmarks.stream_server", str(self.home), str(self.port)]
        command += self._worker_command
        self._process = subprocess.Popen(
            command, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL
        )
        self.process = psutil.Process(self._process.pid)
        until = time.monotonic() + START_S
        while True:
            with contextlib.suppress(httpx.TransportError):
                self.http.get("/health")
                return
            if time.monotonic() > until or self._process.poll() is not None:
                raise RuntimeError("the server does not start")
            time.sleep(0.02)

    def kill(self) -> None:
        """End it as a crash does."""
        self._process.kill()
        self._process.wait()

    def end(self) -> None:
        self._process.terminate()
        self._process.wait(START_S)

    def submit(self, name: str, num_nodes: int) -> str:
        """Start a run that writes what its name says, and give its id."""
        run = {"name": name, "task": {"model": "mlp", "dataset": "digits"}, "cluster": {"num_workers": num_nodes}}
        return self.submit_spec(run)

    def submit_spec(self, run: dict[str, Any]) -> str:
        """Start a run, and give its id."""
        answer = self.http.post("/experiments", json={"name": run["name"], "run": run})
        answer.raise_for_status()
        run_id: str = answer.json()["run_ids"][0]
        return run_id

    def run(self, run_id: str) -> dict[str, Any]:
        data: dict[str, Any] = self.http.get(f"/runs/{run_id}").json()
        return data

    def wait_for_events(self, run_id: str, num: int) -> None:
        while self.run(run_id)["last_seq"] < num:
            time.sleep(0.02)

    def cpu_s(self) -> float:
        """CPU seconds that the process has used, without those of the runs."""
        times = self.process.cpu_times()
        return times.user + times.system

    def memory_bytes(self) -> int:
        return int(self.process.memory_info().rss)

    def log(self, run_id: str) -> bytes:
        return (self.home / "runs" / run_id / "events.jsonl").read_bytes()


@contextlib.contextmanager
def serving(home: Path, port: int, worker_command: tuple[str, ...] = PLAYER) -> Iterator[Server]:
    """Serve inside the block; runs that have not ended are killed with it."""
    server = Server(home, port, worker_command)
    try:
        yield server
    finally:
        server.end()
        for lock in home.glob("runs/*/lock"):
            with contextlib.suppress(psutil.Error, ValueError):
                player = psutil.Process(int(lock.read_text()))
                if "benchmarks.stream_player" in player.cmdline():
                    player.kill()


if __name__ == "__main__":
    main(*sys.argv[1:])
