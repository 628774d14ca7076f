"""Nothing in the repository holds only on the machine on which it was written."""

from __future__ import annotations

import json
import re

import pytest

from tests.house.files import ROOT, name, tracked

# Folders in which people and machines keep their own things.
MACHINE_PATH = re.compile(r"(?<![\w.~}$])/(?:home|root|Users|work|farm|mnt|opt/wheels|tmp/\w+)/[\w.-]")
TEXTS = ("*.py", "*.ts", "*.tsx", "*.css", "*.html", "*.js", "*.json", "*.md", "*.toml", "*.txt", "*.y*ml", "Makefile")


def test_no_file_holds_a_path_of_one_machine() -> None:
    found = {}
    for path in tracked(*TEXTS, "Dockerfile", ".ci/*"):
        lines = [line.strip() for line in path.read_text().splitlines() if MACHINE_PATH.search(line)]
        if lines:
            found[name(path)] = lines
    assert found == {}


@pytest.mark.parametrize("path", ["home ada x", "root .venv bin python", "work shop x", "tmp abc d"])
def test_a_path_of_one_machine_is_seen(path: str) -> None:
    assert MACHINE_PATH.search(f"see /{path.replace(' ', '/')}")  # put together here, or this file would hold one


@pytest.mark.parametrize(
    "line", ["/usr/share/datasets/x", "/data", "/opt/foresync/bin", "/tmp", "a/home/b", "~/data/x"]
)
def test_other_paths_are_let_through(line: str) -> None:
    assert not MACHINE_PATH.search(line)


def test_the_lock_files_hold_no_download_addresses() -> None:
    lock = json.loads((ROOT / "frontend" / "package-lock.json").read_text())
    assert [key for key, package in lock["packages"].items() if "resolved" in package] == []
    assert "://" not in (ROOT / "constraints.txt").read_text()
