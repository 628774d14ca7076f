"""No god file, no endless function: split by idea before these limits are reached."""

from __future__ import annotations

import ast

import pytest

from tests.house.files import name, tracked

MAX_FILE_LINES = 400
MAX_FUNCTION_LINES = 60
SOURCES = ("*.py", "*.ts", "*.tsx", "*.css")


def test_no_source_file_is_longer_than_the_limit() -> None:
    files = tracked(*SOURCES)
    lengths = {name(path): len(path.read_text().splitlines()) for path in files}
    assert len(lengths) > 50, "the sources were not found"
    assert {path: length for path, length in lengths.items() if length > MAX_FILE_LINES} == {}


def test_no_python_function_is_longer_than_the_limit() -> None:
    lengths = {}
    for path in tracked("*.py"):
        for function, num_lines in function_lengths(path.read_text()):
            lengths[f"{name(path)}: {function}"] = num_lines
    assert len(lengths) > 100, "the sources were not found"
    assert {function: length for function, length in lengths.items() if length > MAX_FUNCTION_LINES} == {}


@pytest.mark.parametrize("head", ["def f():", "async def f():", "class A:\n    def f(self):"])
def test_the_length_of_a_function_is_seen(head: str) -> None:
    indent = " " * (8 if "class" in head else 4)
    source = head + "".join(f"\n{indent}x = {i}" for i in range(70))
    assert function_lengths(source) == [("f", 71)]


def function_lengths(source: str) -> list[tuple[str, int]]:
    functions = [
        node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]
    return [(one.name, (one.end_lineno or one.lineno) - one.lineno + 1) for one in functions]
