"""Users of the portal, and which customers they are."""

from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.get_bind().exec_driver_sql("alter table users add column customer_id uuid")
