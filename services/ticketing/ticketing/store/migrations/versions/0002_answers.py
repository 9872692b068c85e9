"""Kept answers tell whom they speak of."""

from alembic import op

from kernel.sql.migrate import execute_ddl

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    execute_ddl(op, "0004_answers")
