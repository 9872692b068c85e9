"""What survivors know together with those merged into them can be filtered by."""

from alembic import op

revision = "0007"
down_revision = "0006"

COLUMNS = """
alter table customers
    -- Of a survivor: what it shows together with those that were merged into it. Null for all others.
    add column composed_source_channel text,
    add column composed_industry text,
    add column composed_province text,
    add column composed_city text,
    add column composed_tags text[];
"""
# As store/composing.py keeps them from now on.
BACKFILL = """
update customers s
set (composed_source_channel, composed_industry, composed_province, composed_city) = (
        select coalesce((array_agg(m.source_channel order by m.survivor_id is not null, m.id)
                         filter (where m.source_channel <> ''))[1], ''),
               coalesce((array_agg(m.industry order by m.survivor_id is not null, m.id)
                         filter (where m.industry <> ''))[1], ''),
               coalesce((array_agg(m.province order by m.survivor_id is not null, m.id)
                         filter (where m.province <> ''))[1], ''),
               coalesce((array_agg(m.city order by m.survivor_id is not null, m.id)
                         filter (where m.city <> ''))[1], '')
        from customers m where m.id = s.id or m.survivor_id = s.id),
    composed_tags = array(
        select distinct tag from customers m, unnest(m.tags) tag
        where m.id = s.id or m.survivor_id = s.id order by tag)
where exists (select from customers a where a.survivor_id = s.id);
"""
INDEXES = """
drop index customers_by_province;
create index customers_by_province on customers ((coalesce(composed_province, province)), id desc)
    where survivor_id is null;
drop index customers_by_city;
create index customers_by_city on customers ((coalesce(composed_city, city)), id desc)
    where survivor_id is null;
"""


def upgrade() -> None:
    for statements in (COLUMNS, BACKFILL, INDEXES):
        op.get_bind().exec_driver_sql(statements)
