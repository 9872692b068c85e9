"""Lists by place and by class begin with the rows that fit."""

from alembic import op

revision = "0006"
down_revision = "0005"

INDEXES = """
create index customers_by_province on customers (province, id desc) where survivor_id is null;
create index customers_by_city on customers (city, id desc) where survivor_id is null;
create index classes_by_class_in_order on classes (scheme, class, customer_id);
drop index classes_by_class;
"""


def upgrade() -> None:
    op.get_bind().exec_driver_sql(INDEXES)
