"""Orders, products and the projection of customers."""

from alembic import op

from kernel.sql.migrate import execute_ddl

revision = "0001"
down_revision = None

TABLES = """
create table orders (
    id             uuid primary key,
    -- Grows by one with every change; consumers of our facts compare it.
    version        integer not null,
    source         text not null,
    value          text not null,
    -- The ERP's own counter.
    source_version bigint not null,
    customer_id    uuid not null,
    ordered_on     date not null,
    status         text not null check (status in ('placed', 'paid', 'delivered', 'cancelled')),
    -- [[external id of the product, quantity, amount], ...], decimals as text.
    lines          jsonb not null,
    currency       text not null,
    total          numeric not null,
    refunded       numeric not null,
    -- Base currency for one unit of the order's, as of rate_on; null in the base currency.
    exchange_rate  numeric,
    rate_on        date,
    -- (total - refunded) in the base currency.
    base_amount    numeric not null,
    base_currency  text not null,
    updated_at     timestamptz not null,
    unique (source, value),
    check (total >= 0 and refunded between 0 and total),
    check ((exchange_rate is null) = (currency = base_currency)),
    check ((exchange_rate is null) = (rate_on is null))
);
create index orders_by_customer on orders (customer_id, ordered_on desc, id desc);
create index orders_by_day on orders (ordered_on desc, id desc);

create table products (
    id             uuid primary key,
    version        integer not null,
    source         text not null,
    value          text not null,
    source_version bigint not null,
    -- Sorted as its readers sort: Chinese by pinyin.
    name           text collate "zh-x-icu" not null,
    category       text not null,
    list_price     numeric,
    currency       text,
    discontinued   boolean not null,
    updated_at     timestamptz not null,
    unique (source, value),
    check ((list_price is null) = (currency is null))
);
create index products_by_name on products (name, id);

-- Projection of the customer service: whose customer it is decides who sees its orders.
create table customers (
    customer_id uuid primary key,
    version     integer not null,
    owner_id    uuid
);
create index customers_by_owner on customers (owner_id);
"""


def upgrade() -> None:
    execute_ddl(op, "0001_kernel")
    execute_ddl(op, "0002_jobs")
    op.get_bind().exec_driver_sql(TABLES)
