"""Contracts of erased customers that the law has us keep a while."""

from alembic import op

revision = "0007"
down_revision = "0006"

RETAINED = """
create table retained_contracts (
    customer_id uuid primary key,
    -- The last day.
    kept_until  date not null
);
create index retained_contracts_by_day on retained_contracts (kept_until);
"""


def upgrade() -> None:
    op.get_bind().exec_driver_sql(RETAINED)
