"""Leads: where they come from, how they are scored, whose they are, what was done about them."""

import json

from alembic import op

revision = "0004"
down_revision = "0003"

TABLES = """
create table leads (
    id             uuid primary key,
    version        integer not null,
    customer_id    uuid not null,
    status         text not null check (status in ('new', 'working', 'qualified', 'closed')),
    score          integer not null check (score between 0 and 100),
    -- Null in the public pool.
    owner_id       uuid,
    source_channel text not null,
    industry       text not null,
    province       text not null,
    city           text not null,
    -- What they need, sealed under the customer's key; null without words.
    sealed         bytea,
    opportunity_id uuid,
    -- Of the present owner: since when it is theirs, and when they last followed it up.
    assigned_at    timestamptz,
    followed_at    timestamptz,
    close_reason   text not null,
    created_at     timestamptz not null,
    updated_at     timestamptz not null,
    check ((owner_id is null) = (assigned_at is null))
);
create index leads_by_owner on leads (owner_id, id desc);
create index leads_by_customer on leads (customer_id);
create index leads_in_pool on leads (score desc, id) where owner_id is null and status <> 'closed';
create index leads_held on leads (owner_id) where status <> 'closed';

-- What leads did. A key tells one occurrence from another.
create table lead_facts (
    lead_id     uuid not null references leads,
    kind        text not null,
    key         text not null,
    value       integer not null,
    occurred_at timestamptz not null,
    primary key (lead_id, kind, key)
);

-- Each score a lead has had, and why.
create table lead_scores (
    id            bigint generated always as identity primary key,
    lead_id       uuid not null references leads,
    rules_version integer not null,
    score         integer not null,
    inputs        jsonb not null,
    -- [[name of the rule, points], ...]
    reasons       jsonb not null,
    created_at    timestamptz not null
);
create index lead_scores_by_lead on lead_scores (lead_id, id desc);

-- Whose each lead was and is, and why.
create table lead_assignments (
    id          bigint generated always as identity primary key,
    lead_id     uuid not null references leads,
    owner_id    uuid,
    way         text not null check (way in ('rules', 'claim', 'named', 'returned', 'given_back')),
    matched     text[] not null,
    candidates  integer not null,
    equals      integer not null,
    passed_over jsonb not null,
    created_at  timestamptz not null
);
create index lead_assignments_by_lead on lead_assignments (lead_id, id desc);
create index lead_claims on lead_assignments (owner_id, created_at) where way = 'claim';

-- A version never changes; the one activated last is in force.
create table lead_rules (
    version      integer primary key,
    document     jsonb not null,
    created_at   timestamptz not null default now(),
    activated_at timestamptz
);

create table sellers (
    user_id          uuid primary key,
    provinces        text[] not null,
    industries       text[] not null,
    capacity         integer not null,
    absent_from      date,
    absent_until     date,
    last_assigned_at timestamptz
);

create table follow_ups (
    id          uuid primary key,
    lead_id     uuid not null references leads,
    customer_id uuid not null,
    actor_id    text not null,
    method      text not null,
    occurred_at timestamptz not null,
    -- What was said, sealed under the customer's key.
    sealed      bytea not null,
    remind_at   timestamptz,
    created_at  timestamptz not null
);
create index follow_ups_by_lead on follow_ups (lead_id, occurred_at desc, id desc);

create table reminders (
    id        uuid primary key,
    lead_id   uuid not null references leads,
    user_id   uuid not null,
    kind      text not null check (kind in ('first', 'second', 'next')),
    due_at    timestamptz not null,
    raised_at timestamptz
);
create index reminders_by_lead on reminders (lead_id);
create index reminders_by_user on reminders (user_id, due_at, id);

create table lead_forms (
    id             uuid primary key,
    title          text not null,
    source_channel text not null,
    key            text not null,
    created_at     timestamptz not null
);

-- Forms that were filled in and are no leads yet, each sealed under a key of its own.
create table submissions (
    id          uuid primary key,
    form_id     uuid not null references lead_forms,
    sealed      bytea not null,
    received_at timestamptz not null
);
-- Ids of all that came in: the same form sent again is one lead.
create table submissions_seen (
    id          uuid primary key,
    received_at timestamptz not null
);
"""
# The defaults that every installation begins with.
RULES = {
    "score_rules": [
        ["opens mail", "opened_mail >= 1", 10],
        ["opens mail often", "opened_mail >= 3", 10],
        ["answers calls", "answered_call >= 1", 15],
        ["viewed the contract template", "viewed_contract_template >= 1", 20],
        ["joined a demo", "joined_demo >= 1", 25],
        ["industry fits", "industry_match", 10],
        ["budget fits", "budget >= 50000", 20],
        ["never answers", "missed_call >= 5 && answered_call == 0", -20],
    ],
    "target_industries": ["制造业", "零售", "教育", "金融", "信息技术"],
    "threshold": 80,
    "return_after": 48 * 3600,
    "first_follow_up": 24 * 3600,
    "second_follow_up": 72 * 3600,
    "claims_a_day": 20,
    "most_held": 200,
}


def upgrade() -> None:
    op.get_bind().exec_driver_sql(TABLES)
    op.get_bind().exec_driver_sql(
        "insert into lead_rules (version, document, activated_at) values (1, %s::jsonb, now())",
        (json.dumps(RULES, ensure_ascii=False),),
    )
