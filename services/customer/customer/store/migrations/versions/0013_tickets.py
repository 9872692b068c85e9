"""What ticketing told of tickets, for the timeline of whose they are."""

from alembic import op

revision = "0013"
down_revision = "0012"

TICKETS = """
create table tickets (
    ticket_id   uuid primary key,
    version     integer not null,
    -- Null while it is not known whose concern it is.
    customer_id uuid,
    number      text not null,
    kind        text not null,
    status      text not null,
    priority    text not null,
    channel     text not null,
    opened_at   timestamptz not null,
    answered_at timestamptz,
    closed_at   timestamptz
);
create index tickets_by_customer on tickets (customer_id, opened_at desc, ticket_id desc);
"""


def upgrade() -> None:
    op.get_bind().exec_driver_sql(TICKETS)
