"""Messages that went out, each examined once."""

from alembic import op

revision = "0008"
down_revision = "0007"

SENDS = """
-- Not to whom: the message's owner knows that.
create table sends (
    message_id   uuid primary key,
    campaign_id  uuid not null,
    purpose_id   text not null,
    channel      text not null,
    consent_id   uuid,
    attempted_at timestamptz not null,
    -- Why it might not go out; '' when it might.
    fault        text not null,
    found_at     timestamptz not null
);
create index sends_unlawful on sends (found_at) where fault <> '';
"""


def upgrade() -> None:
    op.get_bind().exec_driver_sql(SENDS)
