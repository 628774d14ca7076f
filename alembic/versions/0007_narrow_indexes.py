"""Narrow indexes for the orders by a figure and by a name."""

from __future__ import annotations

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

FIGURES = (
    *("duration_s", "time_to_target_s", "final_accuracy", "best_accuracy", "final_loss", "utilisation", "wait_share"),
    *("iterations_per_s", "mean_staleness", "traffic_bytes", "forecast_coverage"),
)


def upgrade() -> None:
    op.create_index("ix_runs_figures", "runs", ["deleted_at", "is_archived", *FIGURES, "id", "policy", "state"])
    op.create_index("ix_runs_names", "runs", ["deleted_at", "is_archived", "name", "id", "experiment_id", "created_at"])


def downgrade() -> None:
    op.drop_index("ix_runs_names", "runs")
    op.drop_index("ix_runs_figures", "runs")
