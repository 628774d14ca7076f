"""Indexes in the order of the list and of its counts, and the tags of a run in its row."""

from __future__ import annotations

from itertools import groupby

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

ROWS_AT_ONCE = 2_000
FACETS = (*("deleted_at", "is_archived", "policy", "state", "dataset", "num_workers", "is_simulated", "tag_numbers"),)
ELSE = (
    *("seed", "model", "started_at", "finished_at", "duration_s", "time_to_target_s", "final_accuracy"),
    *("best_accuracy", "final_loss", "utilisation", "wait_share", "iterations_per_s", "mean_staleness"),
    *("traffic_bytes", "forecast_coverage", "settings_id", "experiment_id", "name"),
)
OLD_HISTORY = (
    *("deleted_at", "is_archived", "policy", "state", "dataset", "num_workers", "is_simulated", "seed", "model"),
    *("created_at", "started_at", "finished_at", "duration_s", "time_to_target_s", "final_accuracy", "best_accuracy"),
    *("final_loss", "utilisation", "wait_share", "iterations_per_s", "mean_staleness", "traffic_bytes"),
    *("forecast_coverage", "settings_id", "experiment_id", "name", "id"),
)


def upgrade() -> None:
    op.create_table(
        "tags",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("tag", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_tags"),
        sa.UniqueConstraint("tag", name="uq_tags_tag"),
    )
    op.add_column("runs", sa.Column("tag_numbers", sa.Text(), server_default=sa.text("''"), nullable=False))
    number_tags()
    op.drop_index("ix_runs_history", "runs")
    op.drop_index("ix_runs_newest", "runs")
    op.create_index("ix_runs_facets", "runs", list(FACETS))
    op.create_index("ix_runs_newest", "runs", [*FACETS[:2], "created_at", "id", *FACETS[2:], *ELSE])
    op.create_index("ix_runs_history", "runs", [*FACETS, "created_at", "id", *ELSE])


def number_tags() -> None:
    """Give each tag a number, and each run the numbers of its tags."""
    connection = op.get_bind()
    connection.execute(sa.text("INSERT INTO tags (tag) SELECT DISTINCT tag FROM run_tags ORDER BY tag"))
    query = "SELECT run_id, tags.id FROM run_tags JOIN tags ON tags.tag = run_tags.tag ORDER BY run_id, tags.id"
    pairs = connection.execute(sa.text(query)).all()
    rows = [
        {"id": run_id, "numbers": "".join(f",{number}" for _, number in some) + ","}
        for run_id, some in groupby(pairs, key=lambda pair: pair[0])
    ]
    change = sa.text("UPDATE runs SET tag_numbers = :numbers WHERE id = :id")
    for first in range(0, len(rows), ROWS_AT_ONCE):
        connection.execute(change, rows[first : first + ROWS_AT_ONCE])


def downgrade() -> None:
    for name in ("ix_runs_history", "ix_runs_newest", "ix_runs_facets"):
        op.drop_index(name, "runs")
    op.create_index("ix_runs_newest", "runs", ["deleted_at", "is_archived", "created_at", "id"])
    op.create_index("ix_runs_history", "runs", list(OLD_HISTORY))
    op.drop_column("runs", "tag_numbers")
    op.drop_table("tags")
