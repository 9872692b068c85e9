"""Opportunities in the stages of pipelines, and the contracts that come of them."""

import json

from alembic import op

revision = "0006"
down_revision = "0005"

TABLES = """
create table pipelines (
    id         text primary key,
    title      text not null,
    stages     jsonb not null,
    created_at timestamptz not null default now()
);

create table opportunities (
    id                uuid primary key,
    version           integer not null,
    customer_id       uuid not null,
    -- One lead makes one opportunity.
    lead_id           uuid unique references leads,
    owner_id          uuid,
    pipeline          text not null references pipelines,
    stage             text not null,
    status            text not null check (status in ('open', 'won', 'lost')),
    amount            numeric,
    currency          text,
    -- Null while nobody has said it: that of the stage is shown.
    probability       integer check (probability between 0 and 100),
    expected_close_on date,
    proposal_id       uuid,
    loss_reason       text not null,
    contract_id       uuid,
    created_at        timestamptz not null,
    updated_at        timestamptz not null,
    check ((amount is null) = (currency is null)),
    check ((status = 'won') = (contract_id is not null))
);
create index opportunities_by_owner on opportunities (owner_id, id desc);
create index opportunities_by_customer on opportunities (customer_id);
create index opportunities_by_stage on opportunities (pipeline, stage);

-- Each time an opportunity entered a stage.
create table stage_entries (
    id             bigint generated always as identity primary key,
    opportunity_id uuid not null references opportunities,
    stage          text not null,
    entered_at     timestamptz not null
);
create index stage_entries_by_opportunity on stage_entries (opportunity_id);

-- Proposals and signed contracts, sealed under the customer's key of a class; chunks of 1 MiB.
create table documents (
    id          uuid primary key,
    customer_id uuid not null,
    key_class   text not null check (key_class in ('operational', 'contract')),
    -- Its file name, sealed.
    sealed      bytea not null,
    size        integer not null,
    created_at  timestamptz not null
);
create index documents_by_customer on documents (customer_id);
create table document_chunks (
    document_id uuid not null references documents,
    number      integer not null,
    sealed      bytea not null,
    primary key (document_id, number)
);

create table contract_templates (
    id         text not null,
    version    integer not null,
    title      text not null,
    -- [[title, body], ...]
    clauses    jsonb not null,
    variables  text[] not null,
    created_at timestamptz not null default now(),
    primary key (id, version)
);

create sequence contract_numbers;
create table contracts (
    id               uuid primary key,
    version          integer not null,
    number           text not null unique,
    customer_id      uuid not null,
    opportunity_id   uuid references opportunities,
    owner_id         uuid,
    template_id      text not null,
    template_version integer not null,
    status           text not null
        check (status in ('draft', 'signed', 'expiring', 'expired', 'renewed', 'cancelled')),
    starts_on        date not null,
    ends_on          date not null,
    -- [[product, quantity, unit price], ...], decimals as text.
    lines            jsonb not null,
    currency         text not null,
    total            numeric not null,
    -- What was entered for the template's variables, under the customer's key of contracts;
    -- empty once erased.
    sealed           bytea not null,
    document_id      uuid references documents,
    signed_at        timestamptz,
    renewed_by       uuid,
    created_at       timestamptz not null,
    updated_at       timestamptz not null,
    foreign key (template_id, template_version) references contract_templates,
    check ((document_id is null) = (signed_at is null))
);
create index contracts_by_owner on contracts (owner_id, id desc);
create index contracts_by_customer on contracts (customer_id);
create index contracts_to_sign on contracts (id) where status = 'draft';
"""


def stage(id: str, title: str, probability: int, *requires: str, won: bool = False) -> dict[str, object]:
    return {"id": id, "title": title, "probability": probability, "requires": requires, "won": won}


PIPELINES = {
    ("four_stage", "四阶段"): [
        stage("first_contact", "初步接触", 10),
        stage("need_confirmed", "需求确认", 40),
        stage("quote", "报价", 70, "amount"),
        stage("deal", "成交", 100, won=True),
    ],
    ("six_stage", "六阶段"): [
        stage("first_contact", "初步接触", 10),
        stage("need_confirmed", "需求确认", 30),
        stage("proposal", "方案提交", 50),
        stage("negotiation", "商务谈判", 70, "amount", "probability", "proposal"),
        stage("won", "成交", 100, won=True),
        stage("after_sales", "售后", 100),
    ],
}
CLAUSES = [
    ["合同标的", "乙方按附表向甲方（{customer}）提供产品与服务，合同总价为 {total}。"],
    ["合同期限", "本合同自 {starts_on} 起至 {ends_on} 止。"],
    ["交付", "乙方应在合同生效后 {delivery_days} 天内完成交付。"],
    ["付款", "甲方按以下方式付款：{payment_terms}。"],
    ["保密与个人信息保护", "双方对在履约中知悉的商业秘密和个人信息负保密义务，并依法处理个人信息。"],
    ["争议解决", "因本合同引起的争议，双方协商解决；协商不成的，提交乙方所在地有管辖权的人民法院。"],
]


def upgrade() -> None:
    run = op.get_bind().exec_driver_sql
    run(TABLES)
    for (id, title), stages in PIPELINES.items():
        run(
            "insert into pipelines (id, title, stages) values (%s, %s, %s::jsonb)",
            (id, title, json.dumps(stages, ensure_ascii=False)),
        )
    run(
        "insert into contract_templates (id, version, title, clauses, variables)"
        " values ('standard', 1, '产品与服务合同', %s::jsonb, array['delivery_days', 'payment_terms'])",
        (json.dumps(CLAUSES, ensure_ascii=False),),
    )
