"""Customers have collaborators, and may be deleted: both decide who sees their orders."""

from alembic import op

revision = "0003"
down_revision = "0002"

REACH = """
alter table customers
    add column collaborator_ids uuid[] not null default '{}',
    add column deleted boolean not null default false;
-- Most customers have none, and need no place in it; asked for with the same condition.
create index customers_by_collaborator on customers using gin (collaborator_ids) with (fastupdate = off)
    where collaborator_ids <> '{}';
"""


def upgrade() -> None:
    op.get_bind().exec_driver_sql(REACH)
