"""How uploaded files begin, kept when they have arrived, so that no request has to read them."""

from alembic import op

revision = "0012"
down_revision = "0011"

UPLOAD_HEADS = """
alter table uploads add column failures integer not null default 0;

create table upload_heads (
    upload_id uuid primary key references uploads on delete cascade,
    -- Names of columns and some rows, sealed under the file's own key; null when it can't be read.
    sealed    bytea,
    -- Why it can't be read: a reason, and the facts of its sentence.
    reason    text,
    facts     jsonb not null default '{}',
    check ((sealed is null) = (reason is not null))
);
"""


def upgrade() -> None:
    op.get_bind().exec_driver_sql(UPLOAD_HEADS)
