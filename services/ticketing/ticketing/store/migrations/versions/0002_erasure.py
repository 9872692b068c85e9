"""By which addresses the tickets of people are found who are to be erased."""

from alembic import op

revision = "0002"
down_revision = "0001"

ADDRESSES = """
-- Keyed hashes of the addresses of persons who asked to be erased, until nothing more is found by them.
create table subject_addresses (
    subject_id uuid not null,
    requester  bytea not null,
    primary key (subject_id, requester)
);
create index subject_addresses_of on subject_addresses (requester);
-- Beside those that are open, which have an index: also closed tickets of nobody known are erased.
create index tickets_by_requester on tickets (requester) where requester is not null and customer_id is null;
"""


def upgrade() -> None:
    op.get_bind().exec_driver_sql(ADDRESSES)
