"""A narrow index for looks for words in the names of runs and experiments, newest first."""

from __future__ import annotations

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_runs_words", "runs", ["deleted_at", "is_archived", "created_at", "id", "experiment_id", "name"])


def downgrade() -> None:
    op.drop_index("ix_runs_words", "runs")
