"""Signing keys: sealed at rest, made once, and read anew by processes that don't talk to each other."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import jwt
import pytest
from cryptography.hazmat.primitives import serialization

from gateway.store import queries, signing
from gateway.store.signing import KeySafe, Signer
from gateway.wiring import GatewayApp
from kernel.pure.clock import FixedClock
from kernel.sql.crypto.errors import SealBroken
from tests.gateway.conftest import NOON


def signer(app: GatewayApp) -> Signer:
    """As another process has it."""
    return Signer(app.reader, KeySafe(app.keyring), app.clock)


def test_a_new_installation_gets_two_keys_once(app: GatewayApp) -> None:
    with ThreadPoolExecutor(4) as several:
        seen = list(several.map(lambda _: app.public_keys(), range(4)))
    assert seen[0] == seen[1] == seen[2] == seen[3]
    assert len(seen[0]) == 2


def test_what_a_key_signs_its_public_half_verifies(app: GatewayApp) -> None:
    keys = {key["kid"]: key for key in app.public_keys()}
    kid, private = signer(app).current()
    token = jwt.encode({"sub": "x"}, private, algorithm="ES256")
    assert jwt.decode(token, jwt.PyJWK(keys[kid]), algorithms=["ES256"]) == {"sub": "x"}


def test_private_keys_never_lie_open_in_the_database(app: GatewayApp) -> None:
    app.public_keys()
    _, private = signer(app).current()
    secret = private.private_numbers().private_value.to_bytes(32, "big")
    pem = private.private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    for row in app.reader.rows("select sealed from signing_keys"):
        assert secret not in row.sealed
        assert pem not in row.sealed


def test_a_sealed_key_opens_under_its_own_id_only(app: GatewayApp) -> None:
    safe = KeySafe(app.keyring)
    one, other = safe.make(NOON), safe.make(NOON)
    assert safe.open(one.public.kid, one.sealed)
    with pytest.raises(SealBroken):
        safe.open(other.public.kid, one.sealed)


def test_rotation_overlaps(app: GatewayApp, clock: FixedClock, monkeypatch: pytest.MonkeyPatch) -> None:
    """The next key is known before it signs, and the old one until its tokens have expired."""
    monkeypatch.setattr(signing, "_READ_EVERY_SECONDS", -1.0)
    first, second = (key["kid"] for key in app.public_keys())
    running = signer(app)
    assert running.current()[0] == first
    clock.instant = NOON + app.settings.signing_period
    assert running.current()[0] == second
    app.rotate_signing_keys()
    kids = [key["kid"] for key in app.public_keys()]
    assert kids[:2] == [first, second]
    assert len(kids) == 3
    clock.instant += timedelta(hours=1)
    app.rotate_signing_keys()
    assert [key["kid"] for key in app.public_keys()] == kids[1:]
    assert running.current()[0] == second


def test_looking_again_changes_nothing(app: GatewayApp) -> None:
    before = app.public_keys()
    app.rotate_signing_keys()
    assert app.public_keys() == before


def test_signing_goes_on_while_the_database_is_away(app: GatewayApp, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signing, "_READ_EVERY_SECONDS", -1.0)
    app.public_keys()
    running = signer(app)
    kid, _ = running.current()

    def away(_: object) -> object:
        raise ConnectionError

    monkeypatch.setattr(queries, "sealed_keys", away)
    assert running.current()[0] == kid
