"""Who users are at OIDC providers."""

from alembic import op

revision = "0005"
down_revision = "0004"

TABLES = """
create table identities (
    issuer         text not null,
    subject_digest bytea not null,
    user_id        uuid not null references users,
    primary key (issuer, subject_digest)
);
create index identities_user on identities (user_id, issuer);
"""


def upgrade() -> None:
    op.get_bind().exec_driver_sql(TABLES)
