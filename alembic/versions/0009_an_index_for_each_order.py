"""A narrow index for each order of the history, in place of one for all figures."""

from __future__ import annotations

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

FIGURES = (
    *("duration_s", "time_to_target_s", "final_accuracy", "best_accuracy", "final_loss", "utilisation", "wait_share"),
    *("iterations_per_s", "mean_staleness", "traffic_bytes", "forecast_coverage"),
)
ORDERS = ("policy", "state", "dataset", "num_workers", "seed", "model", "started_at", "finished_at", *FIGURES)


def upgrade() -> None:
    for name in ORDERS:
        op.create_index(f"ix_runs_by_{name}", "runs", ["deleted_at", "is_archived", name, "id"])
    op.drop_index("ix_runs_figures", "runs")


def downgrade() -> None:
    op.create_index("ix_runs_figures", "runs", ["deleted_at", "is_archived", *FIGURES, "id", "policy", "state"])
    for name in ORDERS:
        op.drop_index(f"ix_runs_by_{name}", "runs")
