"""Forms on web pages, by which customers tell their concerns."""

from alembic import op

revision = "0004"
down_revision = "0003"

FORMS = """
create table ticket_forms (
    id         uuid primary key,
    title      text not null,
    -- Stands in the page; whoever has it may submit.
    key        text not null,
    created_at timestamptz not null
);
"""


def upgrade() -> None:
    op.get_bind().exec_driver_sql(FORMS)
