"""What was computed is found again by its content, and only by that."""

from __future__ import annotations

from pathlib import Path

import pytest

from workers.bench import cache as module
from workers.bench.cache import Cache, default_folder, version_of


def test_what_is_stored_is_found(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    assert cache.get({"a": 1, "b": [2]}) is None
    cache.put({"a": 1, "b": [2]}, {"value": 0.1 + 0.2})
    assert Cache(tmp_path).get({"b": [2], "a": 1}) == {"value": 0.1 + 0.2}
    assert cache.get({"a": 1, "b": [3]}) is None


def test_it_is_made_once(tmp_path: Path) -> None:
    made = []

    def make() -> dict[str, int]:
        made.append(1)
        return {"value": len(made)}

    assert [Cache(tmp_path).get_or_make({"a": 1}, make) for _ in range(3)] == [{"value": 1}] * 3


def test_a_damaged_entry_is_made_again(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    cache.put({"a": 1}, {"value": 1})
    [path] = tmp_path.glob("*/*.json")
    for damage in ('{"val', "[1]", ""):
        path.write_text(damage)
        assert cache.get({"a": 1}) is None
    assert cache.get_or_make({"a": 1}, lambda: {"value": 2}) == {"value": 2}
    assert cache.get({"a": 1}) == {"value": 2}


def test_a_failed_write_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(TypeError):
        Cache(tmp_path).put({"a": 1}, {"value": object()})
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_the_version_follows_what_a_run_depends_on_and_no_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "predictor_a.py").write_text("x = 1\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    seen = []
    original = module._source

    def source(name: str) -> Path | None:
        seen.append(name)
        return original(name)

    monkeypatch.setattr(module, "_source", source)
    version_of.cache_clear()
    first = version_of("predictor_a", "predictor.policies.bsp")
    for name in (
        "predictor.gate",
        "predictor.policies.base",
        "predictor.simulator.worker",
        "predictor.speeds.markov",
        "workers.bench.network",
        "workers.bench.tuner",
        "workers.datasets.digits",
        "workers.partition",
    ):
        assert name in seen
    assert not {"predictor.policies.foresync", "predictor.policies", "predictor.spec"} & set(seen)
    (tmp_path / "predictor_a.py").write_text("x = 2\n")
    version_of.cache_clear()
    assert version_of("predictor_a", "predictor.policies.bsp") != first
    version_of.cache_clear()
    (tmp_path / "predictor_a.py").write_text("x = 1\n")
    assert version_of("predictor_a", "predictor.policies.bsp") == first
    version_of.cache_clear()


def test_the_folder_is_in_the_home(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORESYNC_HOME", "/somewhere")
    assert default_folder() == Path("/somewhere/bench")
    monkeypatch.delenv("FORESYNC_HOME")
    assert default_folder() == Path.home() / ".foresync" / "bench"
