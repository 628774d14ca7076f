"""What the history keeps besides runs: the bin, the archive, saved views, the baseline, and what it filters by."""

from __future__ import annotations

import hashlib
import json
import math
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

ROWS_AT_ONCE = 500

FIGURES = ("best_accuracy", "final_loss", "iterations_per_s", "mean_staleness", "forecast_coverage")
HISTORY = (
    *("deleted_at", "is_archived", "policy", "state", "dataset", "num_workers", "is_simulated", "seed", "model"),
    *("created_at", "started_at", "finished_at", "duration_s", "time_to_target_s", "final_accuracy", "best_accuracy"),
    *("final_loss", "utilisation", "wait_share", "iterations_per_s", "mean_staleness", "traffic_bytes"),
    *("forecast_coverage", "settings_id", "experiment_id", "name", "id"),
)


def upgrade() -> None:
    op.add_column("runs", sa.Column("settings_id", sa.String(length=32), nullable=True))
    op.add_column("runs", sa.Column("model", sa.Text(), server_default=sa.text("''"), nullable=False))
    op.add_column("runs", sa.Column("num_workers", sa.BigInteger(), server_default="0", nullable=False))
    op.add_column("runs", sa.Column("seed", sa.BigInteger(), server_default="0", nullable=False))
    for name in FIGURES:
        op.add_column("runs", sa.Column(name, sa.Double(), nullable=True))
    op.add_column("runs", sa.Column("traffic_bytes", sa.BigInteger(), nullable=True))
    op.add_column("runs", sa.Column("is_archived", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.add_column("runs", sa.Column("deleted_at", sa.DateTime(), nullable=True))

    op.create_table(
        "run_settings",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("spec", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_run_settings"),
    )
    op.create_table(
        "saved_views",
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("filter", sa.Text(), nullable=False),
        sa.Column("sort", sa.Text(), nullable=False),
        sa.Column("columns", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_saved_views"),
        sa.UniqueConstraint("name", name="uq_saved_views_name"),
    )
    op.create_table(
        "baseline",
        sa.Column("place", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("run_id", sa.String(length=16), nullable=False),
        sa.Column("pinned_at", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name="fk_baseline_run_id_runs", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("place", name="pk_baseline"),
    )
    op.create_index("ix_baseline_run_id", "baseline", ["run_id"])

    fill_in()

    for old in ("ix_runs_policy", "ix_runs_dataset", "ix_runs_created_at_id"):
        op.drop_index(old, "runs")
    op.create_index("ix_runs_newest", "runs", ["deleted_at", "is_archived", "created_at", "id"])
    op.create_index("ix_runs_history", "runs", list(HISTORY))
    op.drop_index("ix_run_tags_tag", "run_tags")
    op.create_index("ix_run_tags_tag_run_id", "run_tags", ["tag", "run_id"])


def fill_in() -> None:
    """Give the runs of an older program the columns that were added, from their specs and summaries."""
    connection = op.get_bind()
    runs = sa.table(
        "runs",
        sa.column("id"),
        sa.column("spec", sa.JSON()),
        sa.column("summary", sa.JSON()),
        *(sa.column(name) for name in ("settings_id", "model", "num_workers", "seed", "traffic_bytes", *FIGURES)),
    )
    settings = sa.table("run_settings", sa.column("id"), sa.column("spec", sa.JSON()))
    known: set[str] = set()
    last = ""
    while True:
        query = sa.select(runs.c.id, runs.c.spec, runs.c.summary).where(runs.c.id > last).order_by(runs.c.id)
        rows = connection.execute(query.limit(ROWS_AT_ONCE)).all()
        for run_id, spec, summary in rows:
            settings_id, shared = share(spec)
            if settings_id not in known:
                connection.execute(sa.insert(settings).values(id=settings_id, spec=shared))
                known.add(settings_id)
            values = columns(spec, summary or {}) | {"settings_id": settings_id}
            connection.execute(sa.update(runs).where(runs.c.id == run_id).values(values))
            last = run_id
        if len(rows) < ROWS_AT_ONCE:
            return


def share(spec: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    shared = {name: value for name, value in spec.items() if name not in ("name", "seed")}
    text = json.dumps(shared, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:32], shared


def columns(spec: dict[str, Any], summary: dict[str, Any]) -> dict[str, Any]:
    figures = {name: summary.get(name) for name in FIGURES}
    figures["forecast_coverage"] = (summary.get("forecasts") or {}).get("coverage")
    return {
        "model": str(spec.get("task", {}).get("model", "")),
        "num_workers": int(spec.get("cluster", {}).get("num_workers", 0)),
        "seed": int(spec.get("seed", 0)),
        "traffic_bytes": summary.get("bytes"),
        **{
            name: value if isinstance(value, float | int) and math.isfinite(value) else None
            for name, value in figures.items()
        },
    }


def downgrade() -> None:
    op.drop_index("ix_run_tags_tag_run_id", "run_tags")
    op.create_index("ix_run_tags_tag", "run_tags", ["tag"])
    op.drop_index("ix_runs_history", "runs")
    op.drop_index("ix_runs_newest", "runs")
    op.create_index("ix_runs_policy", "runs", ["policy"])
    op.create_index("ix_runs_dataset", "runs", ["dataset"])
    op.create_index("ix_runs_created_at_id", "runs", ["created_at", "id"])
    for table in ("baseline", "saved_views", "run_settings"):
        op.drop_table(table)
    added = ("settings_id", "model", "num_workers", "seed", *FIGURES, "traffic_bytes", "is_archived", "deleted_at")
    for name in added:
        op.drop_column("runs", name)
