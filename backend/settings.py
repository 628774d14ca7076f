"""What the program is told from outside: the environment and the command line, read once at the start."""

from __future__ import annotations

import contextlib
import math
import os
import secrets
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from backend.errors import SettingsError

DEFAULT_HOME = Path("~/.foresync")
TOKEN_BYTES = 32
MIN_TOKEN_LENGTH = 8
BIN_DAYS = 7.0
MAX_BIN_DAYS = 3_650


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings of one serving process. `read_settings` makes them."""

    home: Path  # holds the database, the token and runs/
    database_url: str = field(repr=False)  # may hold a password
    token: str = field(repr=False)
    host: str = "127.0.0.1"
    port: int = 8000
    concurrency: int | None = None  # runs that train at the same time; None: as it was last set, at first 1
    keep_runs: bool = False  # leave runs training when the program ends
    allowed_hosts: tuple[str, ...] = ()  # Host headers that are accepted beside the loopback names
    bin_days: float = BIN_DAYS  # how long a deleted run can be restored
    worker_command: tuple[str, ...] = (sys.executable, "-m", "workers")  # what trains

    @property
    def runs_dir(self) -> Path:
        return self.home / "runs"


def read_settings(
    environ: Mapping[str, str] = os.environ,
    *,
    home: Path | None = None,
    database_url: str | None = None,
    host: str = "127.0.0.1",
    port: int = 8000,
    concurrency: int | None = None,
    keep_runs: bool = False,
    allowed_hosts: tuple[str, ...] = (),
) -> Settings:
    """Read the settings; an argument goes before FORESYNC_HOME, FORESYNC_DATABASE_URL, FORESYNC_TOKEN.

    FORESYNC_BIN_DAYS has no argument.

    Creates the home, `runs/` in it and, unless FORESYNC_TOKEN is set, the token's file (mode 0600).

    Raises:
        SettingsError: a value cannot be used, or the home cannot be written.
    """
    if not 0 <= port <= 65535:
        raise SettingsError(f"port must be from 0 to 65535, got {port}")
    if concurrency is not None and concurrency < 1:
        raise SettingsError(f"concurrency must be >= 1, got {concurrency}")
    chosen = (home or Path(environ.get("FORESYNC_HOME") or DEFAULT_HOME)).expanduser().absolute()
    try:
        chosen.mkdir(parents=True, exist_ok=True, mode=0o700)
        (chosen / "runs").mkdir(exist_ok=True)
    except OSError as error:
        raise SettingsError(f"The home {str(chosen)!r} cannot be used: {error.strerror or error}.") from error
    return Settings(
        home=chosen,
        database_url=database_url or environ.get("FORESYNC_DATABASE_URL") or f"sqlite:///{chosen / 'foresync.db'}",
        token=_read_token(chosen, environ.get("FORESYNC_TOKEN")),
        host=host,
        port=port,
        concurrency=concurrency,
        keep_runs=keep_runs,
        allowed_hosts=allowed_hosts,
        bin_days=_read_bin_days(environ.get("FORESYNC_BIN_DAYS")),
    )


def _read_bin_days(given: str | None) -> float:
    if not given:
        return BIN_DAYS
    try:
        days = float(given)
    except ValueError:
        days = math.nan
    if not 0 <= days <= MAX_BIN_DAYS:
        raise SettingsError(f"FORESYNC_BIN_DAYS must be a number from 0 to {MAX_BIN_DAYS}, got {given!r}")
    return days


def _read_token(home: Path, given: str | None) -> str:
    path = home / "token"
    if given:
        return _checked(given.strip(), "FORESYNC_TOKEN")
    try:
        # Written under a name of its own and linked, so that two programs that start at once use one token.
        if not path.exists():
            descriptor, fresh = tempfile.mkstemp(prefix=".token-", dir=home)  # mode 0600
            with os.fdopen(descriptor, "w") as file:
                file.write(secrets.token_urlsafe(TOKEN_BYTES) + "\n")
            with contextlib.suppress(FileExistsError):  # the other program was first: its token counts
                path.hardlink_to(fresh)
            Path(fresh).unlink()
        return _checked(path.read_text().strip(), str(path))
    except OSError as error:
        raise SettingsError(f"The token in {str(path)!r} cannot be used: {error.strerror or error}.") from error


def _checked(token: str, where: str) -> str:
    if len(token) < MIN_TOKEN_LENGTH or not token.isascii() or not token.isprintable() or " " in token:
        wish = f"must be at least {MIN_TOKEN_LENGTH} printable ASCII characters without spaces"
        raise SettingsError(f"The token of {where} {wish}, got {len(token)} characters.")
    return token
