"""Tickets, their conversations, clocks and surveys; the rule book; mails; projections."""

import json

from alembic import op

from kernel.sql.migrate import execute_ddl
from ticketing.domain.first_rule_book import FIRST

revision = "0001"
down_revision = None

TABLES = """
create sequence ticket_numbers;

create table tickets (
    id               uuid primary key,
    number           text not null unique,
    -- Grows by one with every change; consumers of our facts compare it, and etags are it.
    version          integer not null,
    kind             text not null check (kind in ('consultation', 'complaint', 'request')),
    topic            text not null,
    priority         text not null check (priority in ('urgent', 'high', 'normal', 'low')),
    status           text not null check (status in ('open', 'pending', 'resolved', 'closed')),
    channel          text not null,
    language         text not null,
    -- Names of word lists, never words.
    said             text[] not null,
    customer_id      uuid,
    -- Whose key seals the words: the customer's or, until they are known, the ticket's own.
    sealed_for       uuid not null,
    sealed           bytea,
    -- Keyed hash of the requester's address while the customer is not known.
    requester        bytea,
    team_id          uuid,
    assignee_id      uuid,
    follows_id       uuid references tickets,
    unreadable       text not null,
    by_hand          text[] not null,
    pauses           jsonb not null,
    opened_at        timestamptz not null,
    heard_at         timestamptz not null,
    answered_at      timestamptz,
    last_answered_at timestamptz,
    planned_at       timestamptz,
    solved_at        timestamptz,
    closed_at        timestamptz,
    -- Of the strictest clock that runs.
    next_due_at      timestamptz,
    next_clock       text not null,
    -- Names of clocks that ran out.
    breached         text[] not null,
    updated_at       timestamptz not null
);
create index tickets_of_customer on tickets (customer_id, opened_at desc, id desc)
    where customer_id is not null;
create index tickets_of_requester on tickets (requester) where requester is not null and status <> 'closed';
create index tickets_newest on tickets (opened_at desc, id desc);
create index tickets_in_hand on tickets (assignee_id) where status in ('open', 'pending');
create index tickets_waiting on tickets (team_id)
    where status in ('open', 'pending') and assignee_id is null and team_id is not null;
create index tickets_next_due on tickets (next_due_at, id) where next_due_at is not null;

create table clocks (
    ticket_id      uuid not null references tickets on delete cascade,
    name           text not null,
    title          text not null,
    rule_version   integer not null,
    minutes        integer not null,
    hours          text not null,
    until          text not null,
    pausing        boolean not null,
    remind_minutes integer not null,
    started_at     timestamptz not null,
    due_at         timestamptz,
    met_at         timestamptz,
    breached_at    timestamptz,
    reminded_at    timestamptz,
    withdrawn_at   timestamptz,
    primary key (ticket_id, name)
);

create table messages (
    id               uuid primary key,
    ticket_id        uuid not null references tickets on delete cascade,
    direction        text not null check (direction in ('from_customer', 'to_customer', 'note')),
    channel          text not null,
    author_id        text not null,
    created_at       timestamptz not null,
    sealed_for       uuid not null,
    sealed           bytea,
    attachment_count integer not null,
    automatic        boolean not null,
    -- Of what goes out by mail: queued, sent, failed, no_address; else empty.
    delivery         text not null
);
create index messages_of_ticket on messages (ticket_id, id);

-- Mails as they came, each under a key of its own, which is destroyed with it.
create table mails (
    id          uuid primary key,
    channel     text not null,
    -- Keyed hash of the Message-ID, or of the mail when it has none: one ticket a mail.
    message_key bytea not null,
    received_at timestamptz not null,
    size        integer not null,
    sealed      bytea,
    -- stored, taken
    state       text not null,
    -- Why it could not be read.
    reason      text not null default '',
    ticket_id   uuid references tickets,
    unique (channel, message_key)
);
create index mails_to_take on mails (received_at) where state = 'stored';
create index mails_of_ticket on mails (ticket_id);
create index mails_by_age on mails (received_at) where sealed is not null;

-- What rules and people decided of a ticket, and why.
create table decisions (
    id           uuid primary key,
    ticket_id    uuid not null references tickets on delete cascade,
    at           timestamptz not null,
    what         text not null,
    outcome      text not null,
    reason       text not null,
    rule         text not null,
    rule_version integer not null,
    facts        jsonb not null
);
create index decisions_of_ticket on decisions (ticket_id, id desc);

create table rule_books (
    version      integer primary key,
    document     jsonb not null,
    published_at timestamptz not null default now(),
    actor_id     text not null
);

-- What is said of an agent beside what their team says.
create table agents (
    user_id  uuid primary key,
    version  integer not null,
    -- Tickets they may have in hand; null: what the rule book says.
    capacity integer,
    away     boolean not null
);

create table surveys (
    id          uuid primary key,
    ticket_id   uuid references tickets,
    customer_id uuid,
    kind        text not null check (kind in ('csat', 'nps')),
    created_at  timestamptz not null,
    ends_at     timestamptz not null,
    -- queued, sent, failed, no_address
    delivery    text not null,
    score       integer,
    answered_at timestamptz,
    sealed_for  uuid not null,
    -- The customer's comment.
    sealed      bytea,
    version     integer not null
);
create unique index surveys_of_ticket on surveys (ticket_id, kind) where ticket_id is not null;

-- Forms that were used: a proof is good for one ticket.
create table used_proofs (
    id      uuid primary key,
    used_at timestamptz not null
);

-- Projections of the customer service: who there is, by whom they are read, and their classes.
create table customers (
    customer_id uuid primary key,
    version     integer not null,
    kind        text not null,
    deleted     boolean not null
);
create table links (
    customer_id uuid primary key,
    -- Null for one that stands for itself again.
    survivor_id uuid,
    version     integer not null
);
create index links_by_survivor on links (survivor_id);
create table classes (
    customer_id uuid not null,
    scheme      text not null,
    version     integer not null,
    class       text not null,
    primary key (customer_id, scheme)
);
"""
_FIRST = "insert into rule_books (version, document, actor_id) values (1, %(document)s, '')"


def upgrade() -> None:
    execute_ddl(op, "0001_kernel")
    execute_ddl(op, "0002_jobs")
    execute_ddl(op, "0003_privacy")
    op.get_bind().exec_driver_sql(TABLES)
    op.get_bind().exec_driver_sql(_FIRST, {"document": json.dumps(FIRST, ensure_ascii=False)})
