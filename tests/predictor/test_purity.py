"""The brain is pure: importing all of it loads no torch, and nothing of it reads a clock or rolls dice."""

from __future__ import annotations

import ast
import pkgutil
import subprocess
import sys
from pathlib import Path

import predictor

MODULES = sorted(module.name for module in pkgutil.walk_packages(predictor.__path__, "predictor."))
FORBIDDEN = {"torch", "workers", "backend", "sklearn", "fastapi", "sqlalchemy"}


def test_no_module_of_the_predictor_loads_torch():
    code = f"import sys, importlib; [importlib.import_module(m) for m in {MODULES}]; print(*sys.modules)"
    root = Path(predictor.__file__).parents[1]
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=root).stdout
    assert set(MODULES) <= set(loaded.split())
    assert FORBIDDEN & {name.partition(".")[0] for name in loaded.split()} == set()


def test_only_the_speeds_know_numpys_random_numbers_and_give_them_a_key():
    folder = Path(predictor.__file__).parent
    calls = [
        (path.relative_to(folder).as_posix(), ast.unparse(node))
        for path in sorted(folder.rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Attribute) and ast.unparse(node).startswith("np.random.")
    ]
    assert {path for path, _ in calls} == {"speeds/base.py"}
    assert {call for _, call in calls} == {"np.random.Generator", "np.random.Philox"}
