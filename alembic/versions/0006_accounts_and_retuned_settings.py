"""Accounts of runs, kept over a restart; and which runs are no longer in the settings of their start."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "run_accounts",
        sa.Column("run_id", sa.String(length=16), nullable=False),
        sa.Column("last_seq", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.String(length=32), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name="fk_run_accounts_run_id_runs", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("run_id", name="pk_run_accounts"),
    )
    op.add_column("runs", sa.Column("start_settings_id", sa.String(length=32), nullable=True))


def downgrade() -> None:
    op.drop_column("runs", "start_settings_id")
    op.drop_table("run_accounts")
