"""python -m gateway.store upgrade | check | rewrap: an upgrade brings the preset roles up to date too."""

import sys

from sqlalchemy import create_engine, make_url
from sqlalchemy.orm import Session

from gateway.config import GatewaySettings
from gateway.domain.presets import PRESETS
from gateway.store.roles import RoleRepository
from kernel.sql.migrate import main


def install_presets() -> None:
    owner_url = GatewaySettings().database_owner_url
    assert owner_url is not None  # the upgrade has refused to run without it
    engine = create_engine(make_url(owner_url.get_secret_value()).set(drivername="postgresql+psycopg"))
    with Session(engine) as session, session.begin():
        RoleRepository(session).install(PRESETS)
    engine.dispose()


if __name__ == "__main__":
    main("gateway")
    if sys.argv[1:] == ["upgrade"]:
        install_presets()
