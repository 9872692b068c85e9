"""The first tables of the marketing service."""

from alembic import op

from kernel.sql.migrate import execute_ddl

revision = "0001"
down_revision = None


def upgrade() -> None:
    execute_ddl(op, "0001_kernel")
    execute_ddl(op, "0002_jobs")
    execute_ddl(op, "0003_privacy")
