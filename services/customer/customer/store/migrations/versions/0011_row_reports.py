"""What the row report of an import says besides: why a row is, or may be, a known customer, and whose."""

from alembic import op

revision = "0011"
down_revision = "0010"

ROW_REPORTS = """
alter table import_rows
    add column team_id uuid,
    add column reasons jsonb not null default '[]';
"""


def upgrade() -> None:
    op.get_bind().exec_driver_sql(ROW_REPORTS)
