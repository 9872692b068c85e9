"""Settings of the gateway service beyond the kernel's; the only place that reads the environment."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from pydantic import BaseModel, Field

from kernel.ops.settings import Settings


class OidcProvider(BaseModel, frozen=True):
    """A provider whose tokens are exchanged for ours."""

    # As its tokens name it: "https://login.example".
    issuer: str = Field(pattern="^https://")
    # What its tokens for this installation are made out to.
    audience: str = Field(min_length=1)
    # A verified address of this domain stands for the login before the @; without one, links only.
    email_domain: str = ""
    # PEM certificates to believe, when its own is not publicly signed.
    ca: Path | None = None


class GatewaySettings(Settings):
    """Read from the environment, each name with the prefix CRM_."""

    # Folder of Envoy's dynamic files; without one the jobs process tells no Envoy of new signing keys.
    edge_dir: Path | None = None

    # Days for which one key signs access tokens.
    signing_key_days: int = Field(30, ge=1)
    # Hours after which a session that was not refreshed is over.
    session_idle_hours: int = Field(7 * 24, ge=1)
    # Days after which every session is over and the user signs in with the password again.
    session_longest_days: int = Field(30, ge=1)

    # Failed attempts allowed within the window, for one login or service account and for one address.
    throttle_per_login: int = Field(10, ge=1)
    throttle_per_address: int = Field(100, ge=1)
    throttle_window_seconds: int = Field(300, ge=1)

    # JSON: [{"issuer": "https://login.example", "audience": "crm", "email_domain": "corp.example"}]
    oidc_providers: tuple[OidcProvider, ...] = ()

    @property
    def signing_period(self) -> timedelta:
        return timedelta(days=self.signing_key_days)
