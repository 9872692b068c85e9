"""Groups of customers, their members, and who is to be looked at again."""

from alembic import op

revision = "0005"
down_revision = "0004"

GROUPS = """
create table groups (
    id           uuid primary key,
    version      integer not null,
    name         text not null,
    description  text not null,
    expression   text not null,
    rule_version integer not null,
    -- "evaluating", "ready", or "deleted" while its members leave it.
    state        text not null,
    -- The last customer that was looked at with this version of the rule.
    after_id     uuid,
    -- How many there are; only who keeps the members changes it, in the same transaction.
    members      integer not null default 0,
    created_at   timestamptz not null,
    updated_at   timestamptz not null
);
create unique index groups_by_name on groups (name) where state <> 'deleted';

create table group_rules (
    group_id   uuid not null references groups on delete cascade,
    version    integer not null,
    expression text not null,
    at         timestamptz not null,
    actor_id   text not null,
    primary key (group_id, version)
);

-- Who left stays, so that versions go on growing.
create table group_members (
    group_id     uuid not null references groups on delete cascade,
    customer_id  uuid not null references customers on delete cascade,
    member       boolean not null,
    version      integer not null,
    rule_version integer not null,
    since        timestamptz not null,
    primary key (group_id, customer_id)
);
create index group_members_by_customer on group_members (customer_id);
"""

# Whoever changes what a rule may ask for puts the customer here, without having to remember it: each
# statement appends, so that nobody waits for anybody.
QUEUE = """
create table regrouping (
    id          bigint generated always as identity primary key,
    customer_id uuid not null
);

create function regroup_customers() returns trigger language plpgsql as $$
begin
    insert into regrouping (customer_id) select id from changed;
    return null;
end $$;

create function regroup_owners_of_facts() returns trigger language plpgsql as $$
begin
    insert into regrouping (customer_id) select distinct customer_id from changed;
    return null;
end $$;
"""
_TRIGGER = """
create trigger regroup_{table}_{event} after {event} on {table} referencing {rows} table as changed
    for each statement execute function {function}();
"""
# The rows as they are afterwards; an order that moves to another customer queues the one it leaves, too.
_WATCHED = (
    ("customers", "insert", "new", "regroup_customers"),
    ("customers", "update", "new", "regroup_customers"),
    ("classes", "insert", "new", "regroup_owners_of_facts"),
    ("classes", "update", "new", "regroup_owners_of_facts"),
    ("orders", "insert", "new", "regroup_owners_of_facts"),
    ("orders", "update", "new", "regroup_owners_of_facts"),
)
_ORDER_LEAVES = """
create trigger regroup_orders_left after update on orders referencing old table as changed
    for each statement execute function regroup_owners_of_facts();
"""
# The one timer that keeps the members of all groups; it sets itself again whenever it fires.
_TIMER = "insert into timers (kind, key, due_at, payload) values ('keep_groups', '', now(), '{}')"


def upgrade() -> None:
    run = op.get_bind().exec_driver_sql
    run(GROUPS)
    run(QUEUE)
    for table, event, rows, function in _WATCHED:
        run(_TRIGGER.format(table=table, event=event, rows=rows, function=function))
    run(_ORDER_LEAVES)
    run(_TIMER)
