"""People whose data must rest, and what stays of those who were erased."""

from alembic import op

revision = "0008"
down_revision = "0007"

# What stays of an erased person is an id with facts about nobody: when it came, what it bought.
RESTRICTION = """
alter table customers
    add column restricted boolean not null default false,
    add column erased_at timestamptz,
    drop constraint customers_check,
    add constraint customers_details check (
        erased_at is not null and sealed is null and company is null
        or (kind = 'person') = (sealed is not null) and (kind = 'company') = (company is not null)
    );
"""


def upgrade() -> None:
    op.get_bind().exec_driver_sql(RESTRICTION)
