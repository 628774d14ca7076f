"""The address of a server under test, and its pages."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit


@dataclass(frozen=True, slots=True)
class Site:
    url: str  # as the server printed it, with the token
    experiment_id: str = ""
    run_ids: tuple[str, ...] = ()

    def with_token(self, path: str) -> str:
        """Give the address that opens a page in a browser without a cookie."""
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.netloc}{path}{'&' if '?' in path else '?'}{parts.query}"

    def pages(self) -> dict[str, str]:
        """Give the path of each page by its name."""
        pages = {
            "experiments": "/experiments",
            "history": "/runs",
            "compare": "/compare",
            "unknown": "/experiments/a/b",
        }
        if self.run_ids:
            pages["compare"] = f"/compare?runs={','.join(self.run_ids)}"
            pages["experiment"] = f"/experiments/{self.experiment_id}"
            pages["run"] = f"/runs/{self.run_ids[0]}"
        return pages
