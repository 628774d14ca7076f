"""What a spec asks of this machine is refused before anything starts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from backend.spec_check import check_runs
from predictor.errors import SpecError
from predictor.spec import read_run


def catalogue(data_dir: str | None = None, *, is_fresh: bool = False) -> dict[str, Any]:
    facts = {"is_available": True, "reason": "", "sample_shape": [1, 8, 8], "num_train": 1400, "models": ["mlp"]}
    datasets = [{"name": "digits", "reads_data_dir": False, **facts}]
    if data_dir is not None:
        datasets.append({"name": Path(data_dir).name, "reads_data_dir": True, **facts})
    return {"models": [{"name": "mlp"}], "datasets": datasets}


def test_a_bundled_data_set_and_a_folder_exclude_each_other(tmp_path: Path) -> None:
    with pytest.raises(SpecError) as caught:
        check_runs([read_run({"task": {"dataset": "digits", "data_dir": str(tmp_path)}})], catalogue)
    assert [(one.field, one.value) for one in caught.value.complaints] == [("task.dataset", "digits")]
    assert "reads no data_dir" in str(caught.value)


def test_own_data_under_a_name_of_their_own_pass(tmp_path: Path) -> None:
    check_runs([read_run({"task": {"dataset": "mine", "data_dir": str(tmp_path)}})], catalogue)
