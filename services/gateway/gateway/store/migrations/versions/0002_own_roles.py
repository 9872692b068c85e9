"""Who has a role is asked whenever one is changed or deleted."""

from alembic import op

revision = "0002"
down_revision = "0001"

INDEXES = """
create index users_by_role on users using gin (role_ids);
create index service_accounts_by_role on service_accounts using gin (role_ids);
"""


def upgrade() -> None:
    op.get_bind().exec_driver_sql(INDEXES)
