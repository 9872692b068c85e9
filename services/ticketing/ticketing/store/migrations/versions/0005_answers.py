"""Kept answers tell whom they speak of."""

from alembic import op

from kernel.sql.migrate import execute_ddl

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    execute_ddl(op, "0004_answers")
