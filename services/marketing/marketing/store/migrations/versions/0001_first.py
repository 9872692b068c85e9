"""Campaigns, their messages, and the caps."""

from alembic import op

from kernel.sql.migrate import execute_ddl

revision = "0001"
down_revision = None

TABLES = """
create table campaigns (
    id             uuid primary key,
    -- Grows by one with every change; consumers of our facts compare it.
    version        integer not null,
    title          text not null,
    group_id       uuid not null,
    purpose        text not null,
    channel        text not null,
    subject        text not null,
    body           text not null,
    status         text not null,
    waits_for      text not null,
    -- Cursor of the audience's next page; null when the whole audience has been written down.
    audience_after text,
    created_at     timestamptz not null,
    started_at     timestamptz,
    finished_at    timestamptz
);
create index campaigns_under_way on campaigns (started_at) where status in ('preparing', 'sending');

-- One row a recipient: who they are, the customer service knows; addresses are fetched for each sending.
create table messages (
    id              uuid primary key,
    version         integer not null,
    campaign_id     uuid not null references campaigns,
    customer_id     uuid not null,
    state           text not null,
    reason          text not null,
    -- The event of the consent ledger that the sending rested on.
    consent_id      text not null,
    attempted_at    timestamptz,
    sent_at         timestamptz,
    opened_at       timestamptz,
    clicked_at      timestamptz,
    unsubscribed_at timestamptz,
    unique (campaign_id, customer_id)
);
create index messages_by_campaign on messages (campaign_id, id);
create index messages_open on messages (campaign_id, id) where state in ('waiting', 'attempted');
create index messages_attempted on messages (attempted_at) where state = 'attempted';
create index messages_by_customer on messages (customer_id, attempted_at);

create table frequency_caps (
    channel    text primary key,
    version    integer not null,
    messages   integer not null,
    days       integer not null,
    updated_at timestamptz not null
);
"""


def upgrade() -> None:
    execute_ddl(op, "0001_kernel")
    execute_ddl(op, "0002_jobs")
    execute_ddl(op, "0003_privacy")
    op.get_bind().exec_driver_sql(TABLES)
