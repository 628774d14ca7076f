"""The values that the runs of the store have, to be offered while a filter is typed."""

from __future__ import annotations

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from backend.filters.elements import SettingWord
from backend.store.tables import Experiment, Run, RunSettings, RunTag

MAX_VALUES = 200  # of one key


def known_values(session: Session) -> dict[str, list[str]]:
    """Give, by key, the values that are there: the commonest tags, the newest experiments."""
    columns = (Run.policy, Run.state, Run.dataset, Run.num_workers)  # in the order of the index
    groups = session.execute(select(*columns).where(Run.deleted_at.is_(None)).distinct()).all()
    model = SettingWord(RunSettings.spec, "task.model")
    known = {
        "policy": sorted({row[0] for row in groups})[:MAX_VALUES],
        "dataset": sorted({row[2] for row in groups})[:MAX_VALUES],
        "workers": [str(num) for num in sorted({row[3] for row in groups})[:MAX_VALUES]],
        "model": sorted(filter(None, session.scalars(select(model).distinct().limit(MAX_VALUES)))),
    }
    tags = select(RunTag.tag).group_by(RunTag.tag).order_by(func.count().desc(), RunTag.tag).limit(MAX_VALUES)
    known["tag"] = list(session.scalars(tags))
    names = session.scalars(select(Experiment.name).order_by(Experiment.created_at.desc()).limit(MAX_VALUES))
    known["experiment"] = list(dict.fromkeys(names))
    return known
