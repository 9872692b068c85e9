"""Keys that seal nothing are swept; those of data stay, in whatever table it lies."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import psycopg
import pytest

from customer.domain.customer import Person, Profile
from customer.usecases.create_customers import create_customer
from customer.wiring import CustomerApp
from gateway.config import GatewaySettings
from gateway.wiring import GatewayApp
from kernel.ops.settings import Settings
from kernel.pure.grants import Principal
from kernel.pure.ids import new_id
from kernel.sql.app import App
from kernel.sql.crypto import orphans
from kernel.sql.crypto.orphans import Holders
from marketing.config import MarketingSettings
from marketing.wiring import MarketingApp
from privacy.config import PrivacySettings
from privacy.wiring import PrivacyApp
from sales.config import SalesSettings
from sales.wiring import SalesApp
from tests.support.services import service
from ticketing.config import TicketingSettings
from ticketing.wiring import TicketingApp

SERVICES: list[tuple[type[App], type[Settings]]] = [
    (GatewayApp, GatewaySettings),
    (CustomerApp, Settings),
    (SalesApp, SalesSettings),
    (TicketingApp, TicketingSettings),
    (MarketingApp, MarketingSettings),
    (PrivacyApp, PrivacySettings),
]


@pytest.mark.parametrize(("kind", "settings"), SERVICES, ids=lambda one: one.__name__)
def test_every_table_with_sealed_data_is_named_and_can_be_asked(
    kind: type[App], settings: type[Settings]
) -> None:
    with service(kind, None, settings) as app:
        assert app.holders.unnamed(app.reader) == []
        for key_class in app.holders.by_class:
            assert app.holders.with_data(app.reader, [new_id()], key_class) == set()
        assert orphans.sweep(app.keyring, app.reader, app.holders) == 0


@pytest.fixture(scope="module")
def app() -> Iterator[CustomerApp]:
    with service(CustomerApp) as app:
        yield app


def grow_old(app: CustomerApp) -> None:
    with psycopg.connect(app.settings.keyring_url.get_secret_value()) as keyring:
        keyring.execute("update app.subject_keys set touched_at = now() - interval '2 days'")


def test_a_key_without_data_goes_and_one_with_data_stays(app: CustomerApp) -> None:
    with app.work(Principal.service("customer")) as work:
        person = create_customer(work, Profile(Person("王小明"))).id
    ghost, file, foreign = new_id(), new_id(), new_id()
    app.keyring.create([ghost], "operational")
    app.keyring.create([file], "file")
    app.keyring.create([foreign], "of another release")
    assert orphans.sweep(app.keyring, app.reader, app.holders) == 0
    grow_old(app)
    assert orphans.sweep(app.keyring, app.reader, app.holders) == 2
    app.keyring.forget()
    assert set(app.keyring.keys([person, ghost], "operational")) == {person}
    assert app.keyring.keys([file], "file") == {}
    assert set(app.keyring.keys([foreign], "of another release")) == {foreign}


def test_a_table_that_is_not_named_stops_the_sweep(app: CustomerApp) -> None:
    app.keyring.create([new_id()], "operational")
    grow_old(app)
    without = {
        table: sql for table, sql in app.holders.by_class["operational"].items() if table != "customers"
    }
    with pytest.raises(ValueError, match="customers"):
        orphans.sweep(app.keyring, app.reader, Holders({**app.holders.by_class, "operational": without}))


def test_a_sweep_looks_back_over_nights_that_were_missed() -> None:
    assert timedelta(days=7) < orphans.LOOKBACK
