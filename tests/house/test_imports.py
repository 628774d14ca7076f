"""The four parts keep their directions (docs/index.md), also where only a running program shows it."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from tests.house.files import PACKAGES, ROOT, name, tracked

NOT_INSTALLED = {"tests", "frontend", "docs", "benchmarks", "hatch_build"}  # beside the packages, but not in the wheel


def test_the_import_contracts_hold() -> None:
    program = Path(sys.executable).with_name("lint-imports")
    answer = subprocess.run([program, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert answer.returncode == 0, answer.stdout
    assert "0 broken" in answer.stdout


@pytest.mark.parametrize(
    ("module", "unwanted"),
    [
        ("backend.app", {"torch", "sklearn", "workers"}),
        ("backend.cli.main", {"torch", "sklearn", "workers"}),
        ("predictor.gate", {"torch", "fastapi", "sqlalchemy", "backend", "workers"}),
        ("predictor.simulator", {"torch", "fastapi", "sqlalchemy", "backend", "workers"}),
    ],
)
def test_a_module_loads_nothing_of_another_part(module: str, unwanted: set[str]) -> None:
    code = f"import sys, {module}; print(*sorted({{name.partition('.')[0] for name in sys.modules}}))"
    loaded = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert module.partition(".")[0] in loaded.split()
    assert unwanted & set(loaded.split()) == set()


def test_the_packages_import_nothing_that_the_wheel_does_not_carry() -> None:
    found = {}
    for path in tracked(*(f"{package}/**.py" for package in PACKAGES)):
        roots = imported_roots(path.read_text())
        if roots & NOT_INSTALLED:
            found[name(path)] = roots & NOT_INSTALLED
    assert found == {}


def imported_roots(source: str) -> set[str]:
    roots = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            roots |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            roots.add((node.module or "").partition(".")[0])
    return roots


def test_imports_are_absolute() -> None:
    relative = [
        name(path)
        for path in tracked("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ImportFrom) and node.level
    ]
    assert relative == []


def test_the_migrations_are_no_package() -> None:
    assert not (ROOT / "alembic" / "__init__.py").exists(), "a package `alembic` in the root would hide the library"
