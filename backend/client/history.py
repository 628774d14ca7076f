"""The history through the client: `client.history.rows("policy:ssp utilisation>=0.9")`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal, Protocol, TypeVar

import httpx
from pydantic import BaseModel

from backend.api import history_models, schemas

PAGE_SIZE = 500

Answer = TypeVar("Answer", bound=BaseModel)
Change = Literal["tag", "untag", "archive", "unarchive", "delete", "restore", "purge"]


class Sender(Protocol):
    """Sends a request and gives the answer, or raises what the client raises."""

    def __call__(
        self, method: str, path: str, body: object = None, *, query: Mapping[str, Any] | None = None
    ) -> httpx.Response: ...


class History:
    """Rows, facets, changes of many runs, saved views and the baseline. Made by `Client.history`."""

    def __init__(self, send: Sender) -> None:
        self._send = send

    def rows(self, filter: str = "", *, sort: str = "-created_at") -> Iterator[history_models.RunRow]:
        """List the runs that a filter lets through, all pages, with what a table shows of each."""
        query: dict[str, Any] = {"filter": filter, "sort": sort, "limit": PAGE_SIZE}
        while True:
            page = self._ask(history_models.RowPage, "GET", "/runs/rows", query=query)
            yield from page.rows
            if page.next_cursor is None:
                return
            query["cursor"] = page.next_cursor

    def facets(self, filter: str = "") -> history_models.Facets:
        """Count the runs that match by policy, state, data set, tag, workers, and simulated or not."""
        return self._ask(history_models.Facets, "GET", "/runs/facets", query={"filter": filter})

    def filter_keys(self) -> list[history_models.FilterKey]:
        """Give the keys, operators and values that a filter may hold."""
        return self._ask(history_models.FilterHelp, "GET", "/runs/filter-help").keys

    def change(
        self,
        change: Change,
        *,
        run_ids: Sequence[str] | None = None,
        filter: str | None = None,
        tag: str = "",
        num_expected: int | None = None,
    ) -> history_models.RunsChanged:
        """Change some runs, or all that a filter lets through.

        The opposite change of the ids in the answer undoes it; what was purged is gone.
        """
        body = {"run_ids": None if run_ids is None else list(run_ids), "filter": filter, "num_expected": num_expected}
        body = {name: value for name, value in body.items() if value is not None}
        return self._ask(history_models.RunsChanged, "POST", "/runs/change", {**body, "change": change, "tag": tag})

    def restore(self, run_id: str) -> schemas.Run:
        """Take a run out of the bin."""
        return self._ask(schemas.Run, "POST", f"/runs/{run_id}/restore")

    def views(self) -> list[history_models.SavedView]:
        """List the saved views by their names."""
        return self._ask(history_models.SavedViews, "GET", "/views").views

    def save_view(
        self, name: str, *, filter: str = "", sort: str = "-created_at", columns: Sequence[str] = ()
    ) -> history_models.SavedView:
        """Save a view under a name that no other has."""
        body = {"name": name, "filter": filter, "sort": sort, "columns": list(columns)}
        return self._ask(history_models.SavedView, "POST", "/views", body)

    def change_view(self, view_id: str, **changes: Any) -> history_models.SavedView:
        """Change name, filter, sort or columns of a view; what is absent stays."""
        return self._ask(history_models.SavedView, "PATCH", f"/views/{view_id}", changes)

    def delete_view(self, view_id: str) -> None:
        """Delete a view; the runs that it showed stay."""
        self._send("DELETE", f"/views/{view_id}")

    def baseline(self) -> schemas.Run | None:
        """Give the run that others are compared with."""
        return self._ask(history_models.Baseline, "GET", "/baseline").run

    def pin_baseline(self, run_id: str | None) -> None:
        """Make a run the baseline; None: have none."""
        if run_id is None:
            self._send("DELETE", "/baseline")
        else:
            self._send("PUT", "/baseline", {"run_id": run_id})

    def _ask(
        self, kind: type[Answer], method: str, path: str, body: object = None, query: Mapping[str, Any] | None = None
    ) -> Answer:
        return kind.model_validate_json(self._send(method, path, body, query=query).content)
