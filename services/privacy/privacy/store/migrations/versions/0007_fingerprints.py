"""The audit tells the fingerprint of every event of the ledger: found by the event."""

from alembic import op

revision = "0007"
down_revision = "0006"

INDEX = """
create index sealed_entries_by_consent on sealed_entries (((facts::jsonb->>'event')::uuid))
    where service = 'privacy' and action = 'record_consent';
"""


def upgrade() -> None:
    op.get_bind().exec_driver_sql(INDEX)
