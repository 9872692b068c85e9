"""What customers did that is known of each of their leads."""

from alembic import op

revision = "0010"
down_revision = "0009"

CUSTOMER_FACTS = """
create table customer_facts (
    customer_id uuid not null,
    kind        text not null,
    key         text not null,
    value       integer not null,
    occurred_at timestamptz not null,
    primary key (customer_id, kind, key)
);
"""


def upgrade() -> None:
    op.get_bind().exec_driver_sql(CUSTOMER_FACTS)
