"""Kept answers tell whom they speak of."""

from alembic import op

from kernel.sql.migrate import execute_ddl

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    execute_ddl(op, "0004_answers")
