"""Every error is one sentence without a traceback, and an exit code that a script can use."""

from __future__ import annotations

import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from backend.cli.errors import CliError
from backend.version import VERSION
from tests.cli.here import Answer, Here
from tests.cli.program import foresync

Said = Callable[..., tuple[int, str]]


@pytest.fixture
def said(here: Here) -> Said:
    """Run a command that fails; give its exit code and what it said."""

    def run(home: Path, *arguments: str | Path) -> tuple[int, str]:
        answer = here(home, *arguments)
        assert answer.out == ""
        return answer.code, answer.err.strip()

    return run


def test_a_port_in_use(said: Said, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        code, sentence = said(tmp_path, "serve", "--port", str(port))
    expected = (
        f"foresync: Port {port} of 127.0.0.1 is in use; choose another one with --port, or any free one with --port 0."
    )
    assert (code, sentence) == (1, expected)


def test_a_host_of_another_machine(said: Said, tmp_path: Path) -> None:
    code, sentence = said(tmp_path, "serve", "--port", "0", "--host", "192.0.2.1")
    assert (code, sentence) == (1, "foresync: The host '192.0.2.1' is not an address of this machine.")


@pytest.mark.parametrize("command", ["serve", "demo"])
def test_a_home_that_is_a_file(said: Said, tmp_path: Path, command: str) -> None:
    home = tmp_path / "home"
    home.write_text("")
    code, sentence = said(home, command)
    assert code == 1
    assert sentence.startswith(f"foresync: The home {str(home)!r} cannot be used: ")


@pytest.mark.parametrize("command", ["serve", "demo"])
def test_a_database_that_does_not_answer(said: Said, tmp_path: Path, command: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    url = f"postgresql://ada:secret@127.0.0.1:{port}/foresync"
    code, sentence = said(tmp_path, command, "--database-url", url)
    assert code == 1
    assert sentence.startswith("foresync: The database postgresql")
    assert "cannot be used" in sentence
    assert "secret" not in sentence
    assert "\n" not in sentence


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("serve", "--port", "70000"), "foresync: port must be from 0 to 65535, got 70000"),
        (("serve", "--concurrency", "0"), "foresync: concurrency must be >= 1, got 0"),
        (("runs", "--url", "nowhere"), "foresync: The URL must look like http://127.0.0.1:8000, got 'nowhere'."),
    ],
)
def test_a_setting_that_cannot_be_used(said: Said, tmp_path: Path, arguments: tuple[str, ...], sentence: str) -> None:
    assert said(tmp_path, *arguments) == (1, sentence)


@pytest.mark.parametrize("arguments", [(), ("fly",), ("serve", "--port", "x"), ("run",), ("compare",)])
def test_a_wrong_use_is_2(said: Said, tmp_path: Path, arguments: tuple[str, ...]) -> None:
    code, sentence = said(tmp_path, *arguments)
    assert code == 2
    assert sentence.startswith("usage: foresync")


def test_a_server_that_is_not_there(said: Said, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    code, sentence = said(tmp_path, "runs", "--url", f"http://127.0.0.1:{port}")
    assert code == 1
    assert sentence.startswith(f"foresync: No answer from http://127.0.0.1:{port}/api/v1")
    assert "\n" not in sentence


def test_a_wrong_spec_starts_nothing(said: Said, tmp_path: Path) -> None:
    spec = tmp_path / "spec.yaml"
    spec.write_text("policy: {name: ssp, threshold: -1}")
    code, sentence = said(tmp_path / "home", "run", spec)
    assert (code, sentence) == (2, "foresync: policy.threshold must be >= 0, got -1")
    assert not (tmp_path / "home").exists()


def test_debug_shows_where(here: Here, tmp_path: Path) -> None:
    with pytest.raises(CliError):
        here(tmp_path, "run", tmp_path / "nowhere.yaml", "--debug")


def test_the_program_is_a_process_with_an_exit_code(tmp_path: Path) -> None:
    answer = foresync(tmp_path, "run", tmp_path / "nowhere.yaml")
    assert answer.returncode == 2
    assert answer.stderr == f"foresync: The spec '{tmp_path}/nowhere.yaml' cannot be read: No such file or directory.\n"


def test_the_version_is_printed(here: Here, tmp_path: Path) -> None:
    assert here(tmp_path, "version") == Answer(0, f"foresync {VERSION}\n", "")
