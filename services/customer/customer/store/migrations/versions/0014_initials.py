"""The letter by which customers stand in an alphabetical list; those who are there get theirs when they are
next saved."""

from alembic import op

revision = "0014"
down_revision = "0013"

INITIALS = """
-- Nobody writes it but code that knows it; "#" stands for no letter.
alter table customers add column initial text collate "C" not null default '#';

create index customers_by_initial on customers (initial, id) where survivor_id is null;
"""


def upgrade() -> None:
    op.get_bind().exec_driver_sql(INITIALS)
