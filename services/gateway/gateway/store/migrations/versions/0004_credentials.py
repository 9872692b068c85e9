"""Passwords that must be changed, and the secret that works beside a new one."""

from alembic import op

revision = "0004"
down_revision = "0003"

COLUMNS = """
alter table users add column password_given boolean not null default false;
alter table service_accounts
    add column previous_secret_digest bytea,
    add column previous_secret_until timestamptz;
"""


def upgrade() -> None:
    op.get_bind().exec_driver_sql(COLUMNS)
