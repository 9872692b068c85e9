"""Customers that were merged: whose orders are shown together."""

from alembic import op

revision = "0002"
down_revision = "0001"

LINKS = """
-- Projection of the customer service: by whom a customer is read. Orders keep the id they came with.
create table links (
    customer_id uuid primary key,
    -- Null for one that stands for itself again.
    survivor_id uuid,
    version     integer not null
);
create index links_by_survivor on links (survivor_id);
"""


def upgrade() -> None:
    op.get_bind().exec_driver_sql(LINKS)
