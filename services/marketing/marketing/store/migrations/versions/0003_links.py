"""By whom a merged customer is read: one human is written to once, under whichever of their ids."""

from alembic import op

revision = "0003"
down_revision = "0002"

TABLES = """
create table links (
    customer_id uuid primary key,
    -- Null for one that stands for itself again.
    survivor_id uuid,
    version     integer not null
);
create index links_by_survivor on links (survivor_id);
"""


def upgrade() -> None:
    op.get_bind().exec_driver_sql(TABLES)
