from __future__ import annotations

import stat
import threading
from pathlib import Path

import pytest

from backend.errors import SettingsError
from backend.settings import read_settings


def test_what_is_told_by_the_environment(tmp_path: Path) -> None:
    environ = {
        "FORESYNC_HOME": str(tmp_path / "home"),
        "FORESYNC_DATABASE_URL": "postgresql://me:secret@host/name",
        "FORESYNC_TOKEN": "a-token-of-my-own",
    }
    settings = read_settings(environ)
    assert settings.home == tmp_path / "home"
    assert settings.database_url == "postgresql://me:secret@host/name"
    assert settings.token == "a-token-of-my-own"
    assert settings.runs_dir.is_dir()
    assert not (settings.home / "token").exists()
    assert "secret" not in repr(settings)
    assert "a-token" not in repr(settings)


def test_an_argument_goes_before_the_environment(tmp_path: Path) -> None:
    environ = {"FORESYNC_HOME": str(tmp_path / "one"), "FORESYNC_DATABASE_URL": "sqlite:///x.db"}
    settings = read_settings(environ, home=tmp_path / "two", database_url="sqlite:///y.db", port=0, concurrency=2)
    assert (settings.home, settings.database_url) == (tmp_path / "two", "sqlite:///y.db")
    assert (settings.port, settings.concurrency, settings.host) == (0, 2, "127.0.0.1")
    assert not (tmp_path / "one").exists()


def test_the_defaults_lie_in_the_home(tmp_path: Path) -> None:
    settings = read_settings({}, home=tmp_path / "home")
    assert settings.database_url == f"sqlite:///{tmp_path}/home/foresync.db"
    assert stat.S_IMODE((tmp_path / "home").stat().st_mode) == 0o700


def test_the_token_is_made_once_and_is_its_owners(tmp_path: Path) -> None:
    first = read_settings({}, home=tmp_path)
    second = read_settings({}, home=tmp_path)
    assert len(first.token) >= 40
    assert first.token == second.token
    assert stat.S_IMODE((tmp_path / "token").stat().st_mode) == 0o600
    assert sorted(path.name for path in tmp_path.iterdir()) == ["runs", "token"]
    assert read_settings({}, home=tmp_path / "other").token != first.token


def test_programs_that_start_at_once_use_one_token(tmp_path: Path) -> None:
    barrier = threading.Barrier(8)
    tokens = []

    def read() -> None:
        barrier.wait()
        tokens.append(read_settings({}, home=tmp_path).token)

    threads = [threading.Thread(target=read) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(tokens) == 8
    assert set(tokens) == {(tmp_path / "token").read_text().strip()}


@pytest.mark.parametrize("token", ["short", "with a space", "ümlaut-and-more", "line\nbreak"])
def test_a_token_that_cannot_stand_in_a_header_is_refused(tmp_path: Path, token: str) -> None:
    with pytest.raises(SettingsError, match="printable ASCII characters without spaces") as caught:
        read_settings({"FORESYNC_TOKEN": token}, home=tmp_path)
    assert token not in str(caught.value)


def test_wrong_settings_name_the_value(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="port must be from 0 to 65535, got 70000"):
        read_settings({}, home=tmp_path, port=70_000)
    with pytest.raises(SettingsError, match="concurrency must be >= 1, got 0"):
        read_settings({}, home=tmp_path, concurrency=0)
    (tmp_path / "file").write_text("")
    with pytest.raises(SettingsError, match=r"The home '.*/file' cannot be used: File exists"):
        read_settings({}, home=tmp_path / "file")
    with pytest.raises(SettingsError, match=r"The home '.*/file/home' cannot be used: Not a directory"):
        read_settings({}, home=tmp_path / "file" / "home")
