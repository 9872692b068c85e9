"""Forms that can be no lead are kept for a while, with the reason, and then destroyed."""

from alembic import op

revision = "0008"
down_revision = "0007"

REFUSED = """
alter table submissions
    -- Why it can be no lead, a reason of the error catalogue; null while it waits.
    add column refused_for text,
    add column refused_at timestamptz;
create index submissions_waiting on submissions (received_at, id) where refused_at is null;
create index submissions_refused on submissions (refused_at) where refused_at is not null;
"""


def upgrade() -> None:
    op.get_bind().exec_driver_sql(REFUSED)
