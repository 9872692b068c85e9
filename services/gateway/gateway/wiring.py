"""The gateway service put together: what each of its processes starts from."""

from __future__ import annotations

from datetime import timedelta
from functools import cached_property

from gateway import metrics
from gateway.config import GatewaySettings
from gateway.domain.sessions import Lifetimes
from gateway.domain.signing_keys import SigningKey
from gateway.domain.throttle import Counters, Limit, Throttle
from gateway.store import queries
from gateway.store.holders import HOLDERS
from gateway.store.passwords import Argon2Passwords
from gateway.store.signing import KeySafe, Signer
from gateway.store.unit_of_work import GatewayWork
from gateway.usecases.rotate_signing_keys import rotate_signing_keys
from kernel.pure.clock import Clock
from kernel.pure.grants import Principal
from kernel.sql.app import App
from kernel.sql.counters import LocalCounters, RedisCounters, SharedCounters
from kernel.sql.crypto.sealing import Sealer


class GatewayApp(App):
    service = "gateway"
    holders = HOLDERS
    settings: GatewaySettings

    def __init__(self, settings: GatewaySettings, clock: Clock | None = None) -> None:
        super().__init__(settings, clock)
        self.sealer = Sealer(self.keyring, installation="crm", service=self.service)
        self.lifetimes = Lifetimes(
            idle=timedelta(hours=settings.session_idle_hours),
            longest=timedelta(days=settings.session_longest_days),
        )
        self._safe = KeySafe(self.keyring)
        self.signer = Signer(self.reader, self._safe, self.clock)

    def work(self, principal: Principal) -> GatewayWork:
        return GatewayWork(self, principal, self.sealer)

    @cached_property
    def passwords(self) -> Argon2Passwords:
        """Made when first needed: it costs as much as a login."""
        return Argon2Passwords()

    @cached_property
    def throttle(self) -> Throttle:
        """Counts attempts to sign in."""
        settings = self.settings
        window = settings.throttle_window_seconds
        return Throttle(
            self._counters(),
            Limit(settings.throttle_per_login, window),
            Limit(settings.throttle_per_address, window),
        )

    def public_keys(self) -> list[dict[str, str]]:
        """The keys that verify access tokens, as JSON web keys; makes the first ones when there are none.

        Safe in several processes at once. Raises KeyringUnavailable when a key must be made and can't.
        """
        rows = queries.public_keys(self.reader)
        if not rows:
            self.rotate_signing_keys()
            rows = queries.public_keys(self.reader)
        return [SigningKey(row.kid, row.x, row.y, row.signs_from).jwk() for row in rows]

    def rotate_signing_keys(self) -> None:
        """Brings the signing keys to what they should be now."""
        with self.work(Principal.service(self.service)) as work:
            made, _ = rotate_signing_keys(work, self._safe, self.settings.signing_period)
        metrics.signing_keys_made.inc(made)

    def _counters(self) -> Counters:
        local = LocalCounters()
        if self.settings.redis_url is None:
            return local
        shared = RedisCounters(self.settings.redis_url.get_secret_value(), "gateway:throttle:")
        self.on_close(shared.close)
        return SharedCounters(shared, local, metrics.throttle_is_local.set)


def build() -> GatewayApp:
    """The service as the environment describes it."""
    return GatewayApp(GatewaySettings())
