"""Audit rows are found by every record they are about, and paged by time and id."""

from alembic import op

revision = "0005"
down_revision = "0004"

OBJECTS = """
-- A list that was viewed is one row, with the ids of all that it showed in its facts.
alter table sealed_entries add column object_ids text[] not null default '{}';
drop index sealed_entries_newest;
drop index sealed_entries_by_object;
create index sealed_entries_newest on sealed_entries (at desc, id desc);
create index sealed_entries_by_object on sealed_entries using gin (object_ids);
"""


def upgrade() -> None:
    op.get_bind().exec_driver_sql(OBJECTS)
