"""What a user can set, call or read is documented, and the documents name nothing that is not there."""

from __future__ import annotations

import argparse
import re

import pytest

from backend.cli.main import parser
from docs.generate import REFERENCE, pages
from predictor.events import EVENTS
from tests.house.files import PACKAGES, ROOT, name, tracked

VARIABLE = re.compile(r"\bFORESYNC_[A-Z_]+\b")
LINK = re.compile(r"\[[^\]]*\]\(([^)#\s]+)(?:#[^)\s]*)?\)")


@pytest.mark.parametrize("page", sorted(pages()))
def test_a_reference_page_is_what_the_code_says(page: str) -> None:
    assert (REFERENCE / page).read_text() == pages()[page], "run `make docs`"


def test_every_event_is_on_the_page_of_events() -> None:
    text = pages()["events.md"]
    assert [kind for kind in EVENTS if f"### {kind}\n" not in text] == []


def test_every_setting_has_a_meaning() -> None:
    rows = [line.split(" | ") for line in pages()["settings.md"].splitlines() if line.startswith("| `")]
    assert len(rows) > 30
    assert [row[0] for row in rows if not row[-1].strip(" |")] == []


def test_every_variable_of_the_environment_is_documented() -> None:
    sources = tracked(*(f"{package}/**.py" for package in PACKAGES), "hatch_build.py")
    read = {variable for path in sources for variable in VARIABLE.findall(path.read_text())}
    documented = set(VARIABLE.findall((ROOT / "docs" / "configuration.md").read_text()))
    assert len(read) >= 4
    assert read - documented == set()
    assert documented - read == set(), "documented, but nothing reads them"


def test_every_command_and_option_is_documented() -> None:
    text = (ROOT / "docs" / "configuration.md").read_text()
    missing = []
    for command, options in commands().items():
        section = re.search(rf"^### `foresync {command}[ `].*?(?=^##)", text + "\n##", re.MULTILINE | re.DOTALL)
        if section is None:
            missing.append(command)
            continue
        missing += [f"{command} {option}" for option in options if f"`{option}" not in section[0]]
    assert missing == []


def commands() -> dict[str, list[str]]:
    """Give the options and positional arguments of each command, but for those that all share."""
    subparsers = next(action for action in parser()._actions if isinstance(action, argparse._SubParsersAction))
    found = {}
    for command, one in subparsers.choices.items():
        names = [action.option_strings[-1] if action.option_strings else action.metavar for action in one._actions]
        found[command] = [str(option) for option in names if option not in ("--help", "--debug")]
    return found


def test_every_close_code_of_the_live_stream_is_documented() -> None:
    sources = [(ROOT / "backend" / path).read_text() for path in ("api/live.py", "security.py")]
    codes = {code for source in sources for code in re.findall(r"^CLOSE_\w+ = (4\d\d\d)", source, re.MULTILINE)}
    documented = set(re.findall(r"^\| (4\d\d\d) \|", (ROOT / "docs" / "live-stream.md").read_text(), re.MULTILINE))
    assert len(codes) >= 3
    assert codes == documented


def test_every_relative_link_leads_somewhere() -> None:
    broken = []
    for path in tracked("*.md"):
        targets = [target for target in LINK.findall(path.read_text()) if "://" not in target]
        broken += [f"{name(path)}: {target}" for target in targets if not (path.parent / target).exists()]
    assert broken == []


def test_every_page_can_be_reached_from_another() -> None:
    files = tracked("*.md")
    linked = {(path.parent / target).resolve() for path in files for target in LINK.findall(path.read_text())}
    assert [name(path) for path in files if path.resolve() not in linked and path != ROOT / "README.md"] == []


def test_every_make_target_that_the_docs_name_is_there() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = {target for path in tracked("*.md") for target in re.findall(r"`make ([a-z-]+)", path.read_text())}
    assert len(named) >= 4
    assert named - targets == set()
