"""A typed, blocking client of the API over httpx."""

from __future__ import annotations

import dataclasses
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import TracebackType
from typing import Any, Literal, Self, TypeVar
from urllib.parse import parse_qs, quote, urlsplit

import httpx
from pydantic import BaseModel

from backend.api import account_models, compare_models, control_models, queue_models, schemas
from backend.client import streams
from backend.client.errors import ClientError, Refused, Unreachable
from backend.client.history import History
from predictor import log
from predictor.events import Event
from predictor.spec import ExperimentSpec

PAGE_SIZE = 500
EVENTS_PER_REQUEST = 10_000
RETUNE_POLL_S = 0.1

Answer = TypeVar("Answer", bound=BaseModel)
Spec = ExperimentSpec | Mapping[str, Any]


class Client:
    """Talk to a Foresync server.

    Every method raises `Refused` when the server answers with a problem and `Unreachable` when it does not answer.
    """

    def __init__(
        self,
        url: str,
        token: str | None = None,
        *,
        timeout_s: float = 30.0,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        """Connect lazily.

        Args:
            url: of the server, also with `?token=...` as the server prints it.
            token: where it does not stand in the URL.
            timeout_s: for one answer.
            transport: another way to reach the server, for tests.

        Raises:
            ClientError: the URL is none.
        """
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.netloc:
            raise ClientError(f"The URL must look like http://127.0.0.1:8000, got {url!r}.")
        token = token or parse_qs(parts.query).get("token", [None])[0]
        self._http = httpx.Client(
            base_url=f"{parts.scheme}://{parts.netloc}/api/v1",
            headers={"Authorization": f"Bearer {token}"} if token else {},
            timeout=timeout_s,
            transport=transport,
            trust_env=False,  # a proxy of the environment cannot reach a loopback address of ours
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    # ---- what there is -----------------------------------------------------------------------------------

    def health(self) -> schemas.Health:
        return self._get(schemas.Health, "/health")

    def catalogue(self) -> schemas.Catalogue:
        """Give models, data sets, presets and the schema of a spec."""
        return self._get(schemas.Catalogue, "/catalogue")

    def queue(self) -> queue_models.QueueStatus:
        return self._get(queue_models.QueueStatus, "/queue")

    def queue_outlook(self) -> queue_models.QueueOutlook:
        """Predict when each run of the queue starts and ends."""
        return self._get(queue_models.QueueOutlook, "/queue/outlook")

    def change_queue(
        self, *, is_paused: bool | None = None, concurrency: int | None = None
    ) -> queue_models.QueueStatus:
        """Pause the queue or let it go on, set how many runs train at once; what is None stays."""
        body = {"is_paused": is_paused, "concurrency": concurrency}
        answer = self._send("PATCH", "/queue", {name: value for name, value in body.items() if value is not None})
        return queue_models.QueueStatus.model_validate_json(answer.content)

    def move_queued(
        self,
        run_ids: Sequence[str],
        to: Literal["first", "up", "down", "last"] | None = None,
        *,
        before: str | None = None,
    ) -> queue_models.QueueStatus:
        """Put waiting runs at an end of the queue, one place up or down, or before another one."""
        body = {"run_ids": list(run_ids), "to": to, "before": before}
        return self._post(queue_models.QueueStatus, "/queue/move", body)

    def cancel_queued(self, run_ids: Sequence[str]) -> list[str]:
        """Take waiting runs out of the queue and give those that still waited."""
        answer = self._post(queue_models.QueueCancelled, "/queue/cancel", {"run_ids": list(run_ids)})
        return answer.cancelled

    # ---- experiments -------------------------------------------------------------------------------------

    def check(self, spec: Spec) -> schemas.CheckResult:
        """Check a spec without starting anything; a wrong one raises `Refused` with `problem.errors`."""
        return self._post(schemas.CheckResult, "/experiments/check", _data(spec))

    def estimate(self, spec: Spec) -> schemas.Estimate:
        """Predict the duration of an experiment."""
        return self._post(schemas.Estimate, "/experiments/estimate", _data(spec))

    def submit(self, spec: Spec, *, idempotency_key: str | None = None) -> schemas.Experiment:
        """Start an experiment. The same key gives the same experiment again; without one, each call is new."""
        headers = {"Idempotency-Key": idempotency_key or uuid.uuid4().hex}
        return self._post(schemas.Experiment, "/experiments", _data(spec), headers)

    def experiments(self) -> list[schemas.ExperimentInfo]:
        """List all experiments, newest first."""
        return self._get(schemas.ExperimentList, "/experiments").experiments

    def experiment(self, experiment_id: str) -> schemas.Experiment:
        return self._get(schemas.Experiment, f"/experiments/{_part(experiment_id)}")

    def delete_experiment(self, experiment_id: str) -> None:
        """Stop and delete its runs, then the experiment."""
        self._send("DELETE", f"/experiments/{_part(experiment_id)}")

    def wait(
        self,
        experiment_id: str,
        *,
        on_progress: Callable[[schemas.Experiment], None] | None = None,
        poll_s: float = 0.5,
        timeout_s: float | None = None,
    ) -> schemas.Experiment:
        """Wait until all runs of an experiment are done.

        Args:
            experiment_id: of the experiment.
            on_progress: called with the experiment after each look at it, the last one included.
            poll_s: pause between two looks.
            timeout_s: give up after this time; None: never.

        Raises:
            TimeoutError: not all were done in time.
        """
        give_up_at = None if timeout_s is None else time.monotonic() + timeout_s
        while True:
            now = self.experiment(experiment_id)
            if on_progress:
                on_progress(now)
            if now.num_done == now.num_runs:
                return now
            if give_up_at is not None and time.monotonic() >= give_up_at:
                raise TimeoutError(
                    f"{now.num_done} of {now.num_runs} runs of {now.name!r} were done after {timeout_s} s"
                )
            time.sleep(poll_s)

    # ---- runs --------------------------------------------------------------------------------------------

    def runs(
        self,
        *,
        state: Sequence[schemas.RunState] = (),
        policy: Sequence[str] = (),
        dataset: Sequence[str] = (),
        tag: Sequence[str] = (),
        q: str | None = None,
        experiment_id: str | None = None,
        filter: str | None = None,
        sort: str = "-created_at",
    ) -> Iterator[schemas.Run]:
        """List the runs that match, all pages, each complete; `history.rows` gives less of each, and is faster."""
        query: dict[str, Any] = {"state": state, "policy": policy, "dataset": dataset, "tag": tag, "sort": sort}
        query |= {"q": q, "experiment_id": experiment_id, "filter": filter, "limit": PAGE_SIZE}
        query = {name: value for name, value in query.items() if value not in (None, (), [])}
        while True:
            page = self._get(schemas.RunPage, "/runs", query)
            yield from page.runs
            if page.next_cursor is None:
                return
            query["cursor"] = page.next_cursor

    def run(self, run_id: str) -> schemas.Run:
        return self._get(schemas.Run, f"/runs/{_part(run_id)}")

    def change(
        self, run_id: str, *, name: str | None = None, tags: Sequence[str] | None = None, notes: str | None = None
    ) -> schemas.Run:
        """Rename, tag or annotate a run; what is None stays."""
        body = {"name": name, "tags": None if tags is None else list(tags), "notes": notes}
        answer = self._send("PATCH", f"/runs/{_part(run_id)}", {k: v for k, v in body.items() if v is not None})
        return schemas.Run.model_validate_json(answer.content)

    def delete(self, run_id: str, *, now: bool = False) -> None:
        """Put a run into the bin, or delete it for good."""
        self._send("DELETE", f"/runs/{_part(run_id)}", query={"now": "true"} if now else None)

    @property
    def history(self) -> History:
        """Filters, facets, changes of many runs, saved views and the baseline."""
        return History(self._send)

    def stop(self, run_id: str) -> schemas.Run:
        return self._post(schemas.Run, f"/runs/{_part(run_id)}/stop")

    def resume(self, run_id: str) -> schemas.Run:
        return self._post(schemas.Run, f"/runs/{_part(run_id)}/resume")

    def clone(
        self,
        run_id: str,
        changes: Mapping[str, Any] | None = None,
        *,
        name: str | None = None,
        settings: Literal["in_force", "start"] = "in_force",
    ) -> schemas.Run:
        """Queue the run again with changes by dotted path, e.g. `{"policy.threshold": 5}`.

        `settings` says with what a run that was retuned begins: with what it ended with, or as it began.
        """
        body = {"changes": dict(changes or {}), "name": name, "settings": settings}
        return self._post(schemas.Run, f"/runs/{_part(run_id)}/clone", body)

    def tuning(self, run_id: str) -> control_models.Tuning:
        """Give the settings that can be changed while a run trains, and the changes so far."""
        return self._get(control_models.Tuning, f"/runs/{_part(run_id)}/retune")

    def retune(
        self,
        run_id: str,
        policy: Mapping[str, Any] | None = None,
        forecaster: Mapping[str, Any] | None = None,
        *,
        timeout_s: float = 10.0,
    ) -> control_models.RetuneChange | None:
        """Change settings of a run that trains, and give the change as it stands in the log.

        Args:
            run_id: of the run.
            policy: changed parameters of its policy.
            forecaster: changed ones of its forecaster, or the `name` of another one.
            timeout_s: how long to wait until the log tells of it; None is given after that.
        """
        body = {"policy": dict(policy or {}), "forecaster": dict(forecaster or {})}
        asked = self._post(control_models.RetuneAsked, f"/runs/{_part(run_id)}/retune", body)
        give_up_at = time.monotonic() + timeout_s
        while True:
            done = [change for change in self.tuning(run_id).changes if change.seq > asked.after_seq]
            if done or time.monotonic() >= give_up_at:
                return done[0] if done else None
            time.sleep(RETUNE_POLL_S)

    def compare(self, run_ids: Sequence[str], *, baseline: str | None = None) -> compare_models.Comparison:
        """Compare runs: settings that differ, and each setting over its seeds against that of the baseline run."""
        query = {"runs": ",".join(run_ids)} | ({} if baseline is None else {"baseline": baseline})
        return self._get(compare_models.Comparison, "/compare", query)

    def compared_curves(self, run_ids: Sequence[str]) -> compare_models.ComparedCurves:
        """Give the curves of runs, and the mean of each setting's seeds with its 95% band."""
        return self._get(compare_models.ComparedCurves, "/compare/curves", {"runs": ",".join(run_ids)})

    def curves(self, run_id: str) -> schemas.Curves:
        return self._get(schemas.Curves, f"/runs/{_part(run_id)}/curves")

    def account(self, run_id: str) -> account_models.Account:
        """Say where the run's time went and for whom its workers waited, once all stored events are counted."""
        while True:
            found = self._get(account_models.Account, f"/runs/{_part(run_id)}/account")
            if found.is_complete:
                return found

    def log_text(self, run_id: str, *, tail_bytes: int = 2**16) -> str:
        """Give the end of what the run's processes printed."""
        return self._send("GET", f"/runs/{_part(run_id)}/log", query={"tail_bytes": tail_bytes}).text

    def events(
        self, run_id: str, *, after: int = 0, kinds: Sequence[str] = (), follow: bool = False, poll_s: float = 0.25
    ) -> Iterator[tuple[int, Event]]:
        """Give a run's events with their seq, in order.

        Args:
            run_id: of the run.
            after: the seq after which to start.
            kinds: names of the kinds that are wanted; empty: all.
            follow: wait for more until the run has finished.
            poll_s: pause between two looks at a run that still trains.
        """
        path, query = f"/runs/{_part(run_id)}/events", {"limit": EVENTS_PER_REQUEST, "kinds": ",".join(kinds)}
        while True:
            page = self._send("GET", path, query={**query, "after": after}).json()
            for fields in page["events"]:
                yield fields["seq"], log.from_fields(fields)
            is_new = page["last_seq"] > after
            after = page["last_seq"]
            if not is_new and (page["is_finished"] or not follow):
                return
            if not is_new:
                time.sleep(poll_s)

    # ---- files and predictions ---------------------------------------------------------------------------

    def export(
        self, run_id: str, format: str, *, table: str | None = None, kinds: Sequence[str] = ()
    ) -> Iterator[bytes]:
        """Give a run as a file in pieces: csv, json, jsonl, parquet, perfetto or html (docs/exports.md)."""
        query = {"format": format, "table": table, "kinds": ",".join(kinds)}
        known = {name: value for name, value in query.items() if value}
        return streams.read_pieces(self._http, f"/runs/{_part(run_id)}/export", known)

    def export_runs(self, run_ids: Sequence[str], format: str) -> Iterator[bytes]:
        """Give several runs as one file in pieces: csv, json, parquet (one row a run), or html (a comparison)."""
        return streams.read_pieces(self._http, "/export", {"runs": ",".join(run_ids), "format": format})

    def what_if(
        self, run_id: str, policies: Sequence[Mapping[str, Any]], *, forecaster: Mapping[str, Any] | None = None
    ) -> streams.Predictions:
        """Predict a run under other policies; a list stands for several values: `{"name": "ssp", "threshold": [1, 2]}`.

        Raises:
            ClientError: not everything could be computed; the sentence says why.
        """
        body: dict[str, Any] = {"policies": [dict(one) for one in policies]}
        if forecaster is not None:
            body["forecaster"] = dict(forecaster)
        return streams.Predictions(streams.read_frames(self._http, f"/runs/{_part(run_id)}/what-if", body))

    # ---- requests ----------------------------------------------------------------------------------------

    def _get(self, kind: type[Answer], path: str, query: Mapping[str, Any] | None = None) -> Answer:
        return kind.model_validate_json(self._send("GET", path, query=query).content)

    def _post(
        self, kind: type[Answer], path: str, body: object = None, headers: Mapping[str, str] | None = None
    ) -> Answer:
        return kind.model_validate_json(self._send("POST", path, body, headers=headers).content)

    def _send(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        query: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> httpx.Response:
        try:
            answer = self._http.request(method, path, json=body, params=query, headers=headers)
        except httpx.HTTPError as error:
            raise Unreachable(f"No answer from {self._http.base_url}: {error or type(error).__name__}.") from error
        if answer.is_success:
            return answer
        if answer.headers.get("content-type", "").startswith("application/problem+json"):
            raise Refused(schemas.Problem.model_validate_json(answer.content))
        raise ClientError(f"{answer.request.url} answered {answer.status_code}, which no Foresync server does.")


def _data(spec: Spec) -> object:
    return dataclasses.asdict(spec) if isinstance(spec, ExperimentSpec) else dict(spec)


def _part(identifier: str) -> str:
    return quote(identifier, safe="")
