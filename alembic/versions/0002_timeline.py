"""The timeline of a run: tiles for overviews, and where its events lie in time."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "timelines",
        sa.Column("run_id", sa.String(length=16), nullable=False),
        sa.Column("last_seq", sa.BigInteger(), nullable=False),
        sa.Column("to_s", sa.Double(), nullable=False),
        sa.Column("level", sa.BigInteger(), nullable=False),
        sa.Column("sealed_s", sa.Double(), nullable=True),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name="fk_timelines_run_id_runs", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("run_id", name="pk_timelines"),
    )
    op.create_table(
        "timeline_tiles",
        sa.Column("run_id", sa.String(length=16), nullable=False),
        sa.Column("level", sa.BigInteger(), nullable=False),
        sa.Column("place", sa.BigInteger(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name="fk_timeline_tiles_run_id_runs", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("run_id", "level", "place", name="pk_timeline_tiles"),
    )
    op.create_table(
        "timeline_pieces",
        sa.Column("run_id", sa.String(length=16), nullable=False),
        sa.Column("first_seq", sa.BigInteger(), nullable=False),
        sa.Column("last_seq", sa.BigInteger(), nullable=False),
        sa.Column("low_s", sa.Double(), nullable=False),
        sa.Column("high_s", sa.Double(), nullable=False),
        sa.Column("began_s", sa.Double(), nullable=False),
        sa.Column("landmarks", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name="fk_timeline_pieces_run_id_runs", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("run_id", "first_seq", name="pk_timeline_pieces"),
    )


def downgrade() -> None:
    for table in ("timeline_pieces", "timeline_tiles", "timelines"):
        op.drop_table(table)
