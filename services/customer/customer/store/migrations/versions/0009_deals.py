"""What sales told of opportunities that were won, and of the contracts they were won by."""

from alembic import op

revision = "0009"
down_revision = "0008"

DEALS = """
create table deals (
    opportunity_id uuid primary key,
    version        integer not null,
    customer_id    uuid not null,
    contract_id    uuid not null,
    amount         numeric not null,
    currency       text not null,
    won_at         timestamptz not null
);
create index deals_by_customer on deals (customer_id);

-- Contracts may be heard of before the deal is.
create table contracts (
    contract_id uuid primary key,
    version     integer not null,
    customer_id uuid not null,
    status      text not null
);
"""
# Whose deals change is put where members of groups are looked at again, as whose orders change.
_TRIGGER = """
create trigger regroup_{table}_{event} after {event} on {table} referencing new table as changed
    for each statement execute function regroup_owners_of_facts();
"""


def upgrade() -> None:
    run = op.get_bind().exec_driver_sql
    run(DEALS)
    for table in ("deals", "contracts"):
        for event in ("insert", "update"):
            run(_TRIGGER.format(table=table, event=event))
