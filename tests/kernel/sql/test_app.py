"""What a process of a service has in hand before it has asked anybody."""

from __future__ import annotations

import pytest
from pydantic import SecretStr

from customer.wiring import CustomerApp
from kernel.sql.crypto.errors import KeyringUnavailable
from tests.support.services import service

# Nobody listens there.
AWAY = SecretStr("postgresql://nobody:nothing@127.0.0.1:1/keyring")


def test_pages_are_turned_in_a_process_that_started_without_the_keyring() -> None:
    with service(CustomerApp) as app:
        token = app.page_tokens.seal(["ListCustomers"], ["7"])
        without = CustomerApp(app.settings.model_copy(update={"keyring_url": AWAY}))
        try:
            assert without.page_tokens.open(["ListCustomers"], token) == ["7"]
            with pytest.raises(KeyringUnavailable):
                without.keyring.service_key("phones", "1")
        finally:
            without.close()
