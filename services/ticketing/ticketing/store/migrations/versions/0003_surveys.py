"""A survey asks two things: how well it was solved, and how likely the customer recommends us."""

from alembic import op

revision = "0003"
down_revision = "0002"

LIKELIHOOD = """
-- score is of 1 to 5, likelihood of 0 to 10; null where the customer did not say.
alter table surveys add column likelihood integer;
"""


def upgrade() -> None:
    op.get_bind().exec_driver_sql(LIKELIHOOD)
