"""Customers, their external ids, the orders heard of, schemes and classes."""

from alembic import op

from kernel.sql.migrate import execute_ddl

revision = "0001"
down_revision = None

TABLES = """
create table customers (
    id             uuid primary key,
    version        integer not null,
    kind           text not null check (kind in ('person', 'company')),
    owner_id       uuid not null,
    -- Personal document, sealed under the person's key; null for companies.
    sealed         bytea,
    -- The company, in clear; null for persons.
    company        jsonb,
    source_channel text not null,
    industry       text not null,
    province       text not null,
    city           text not null,
    tags           text[] not null,
    created_at     timestamptz not null,
    updated_at     timestamptz not null,
    check ((kind = 'person') = (sealed is not null) and (kind = 'company') = (company is not null))
);
create index customers_by_owner on customers (owner_id, id desc);

create table external_ids (
    source      text not null,
    value       text not null,
    customer_id uuid not null references customers,
    primary key (source, value)
);
create index external_ids_by_customer on external_ids (customer_id);

-- Projection of sales: what the latest version of each order says.
create table orders (
    order_id    uuid primary key,
    version     integer not null,
    customer_id uuid not null,
    ordered_on  date not null,
    status      text not null,
    base_amount numeric(18, 3) not null
);
create index orders_by_customer on orders (customer_id, ordered_on desc, order_id desc);

create table schemes (
    id         text not null,
    version    integer not null,
    title      text not null,
    rules      jsonb not null,
    created_at timestamptz not null default now(),
    primary key (id, version)
);

create table classes (
    customer_id    uuid not null references customers,
    scheme         text not null,
    class          text not null,
    version        integer not null,
    scheme_version integer not null,
    since          timestamptz not null,
    review_on      date,
    primary key (customer_id, scheme)
);
create index classes_by_class on classes (scheme, class);

insert into schemes (id, version, title, rules) values
('spend_tier', 1, '消费分层', '{"bands": [["core", "100000"], ["important", "30000"], ["basic", "10000"]]}'),
('rfm', 1, 'RFM 分类', '{
    "high_value": {"r": 30, "f": "2", "m": "50000"},
    "potential": {"r": 90, "f": "0.5", "m": "10000"},
    "churn_warning": {"r": 180}
}');
"""


def upgrade() -> None:
    execute_ddl(op, "0001_kernel")
    execute_ddl(op, "0002_jobs")
    op.get_bind().exec_driver_sql(TABLES)
