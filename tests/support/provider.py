"""A real OpenID provider on this machine, with clients and keys of a test's own."""

from __future__ import annotations

import hashlib
import json
import secrets
import ssl
import subprocess
from base64 import b64encode, urlsafe_b64encode
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlencode, urljoin, urlsplit
from urllib.request import Request, urlopen

import requests
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

from gateway.config import OidcProvider
from tests.gateway.edge.certificates import Authority
from tests.support.npm import ROOT, node_modules

DOMAIN = "corp.example"


def new_key(kid: str, algorithm: str) -> dict[str, Any]:
    """A private JSON web key."""
    if algorithm == "ES256":
        made = ECAlgorithm.to_jwk(ec.generate_private_key(ec.SECP256R1()), as_dict=True)
    else:
        made = RSAAlgorithm.to_jwk(rsa.generate_private_key(65537, 2048), as_dict=True)
    made.pop("key_ops", None)
    return {**made, "kid": kid, "alg": algorithm, "use": "sig"}


@dataclass
class Provider:
    """The running provider; `restart` gives it other keys."""

    authority: Authority
    port: int
    clients: list[dict[str, Any]]
    keys: list[dict[str, Any]] = field(default_factory=list)
    process: subprocess.Popen[str] | None = None

    @property
    def issuer(self) -> str:
        return f"https://localhost:{self.port}"

    @property
    def settings(self) -> OidcProvider:
        return OidcProvider(issuer=self.issuer, audience="crm", email_domain=DOMAIN, ca=self.authority.file)

    def restart(self, *keys: dict[str, Any]) -> None:
        self.stop()
        self.keys = list(keys)
        pair = self.authority.outside("provider")
        self.process = subprocess.Popen(
            [
                "node",
                ROOT / "tests/support/node/provider.mjs",
                node_modules(),
                str(self.port),
                pair.cert,
                pair.key,
                json.dumps({"keys": self.keys}),
                json.dumps(self.clients),
            ],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        assert self.process.stdout is not None
        assert self.process.stdout.readline() == "ready\n"

    def stop(self) -> None:
        if self.process is not None:
            self.process.terminate()
            self.process.communicate()
            self.process = None

    def token(self, client: str, audience: str = "crm") -> str:
        """A token of this client, as the provider issues it."""
        basic = b64encode(f"{client}:secret%20of%20{client}".encode()).decode()
        asked = {"grant_type": "client_credentials", "resource": f"https://{audience}"}
        request = Request(
            f"{self.issuer}/token", urlencode(asked).encode(), {"authorization": f"Basic {basic}"}
        )
        trusting = ssl.create_default_context(cafile=str(self.authority.file))
        with urlopen(request, context=trusting, timeout=10) as answer:
            return str(json.load(answer)["access_token"])


def code_flow(provider: Provider, client: str, redirect: str, name: str) -> str:
    """The id token of somebody who signs in at the provider's own pages, asked for by a page with a code and
    PKCE."""
    verifier = secrets.token_urlsafe(48)
    challenge = urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    asked = {
        "client_id": client, "redirect_uri": redirect, "response_type": "code", "scope": "openid email",
        "code_challenge": challenge, "code_challenge_method": "S256", "state": "1", "nonce": "1",
    }  # fmt: skip
    with requests.Session() as browser:
        # What this machine believes otherwise would go before the file.
        browser.trust_env = False
        browser.verify = str(provider.authority.file)
        page = _followed(browser, f"{provider.issuer}/auth?{urlencode(asked)}", redirect)
        said = {"prompt": "login", "login": name, "password": "any"}
        while not page.startswith(redirect):
            answer = browser.post(page, data=said, allow_redirects=False, timeout=10)
            page = _followed(browser, urljoin(page, answer.headers["location"]), redirect)
            said = {"prompt": "consent"}
        told = {
            "grant_type": "authorization_code", "code": parse_qs(urlsplit(page).query)["code"][0],
            "redirect_uri": redirect, "client_id": client, "code_verifier": verifier,
        }  # fmt: skip
        answer = browser.post(f"{provider.issuer}/token", data=told, timeout=10)
        answer.raise_for_status()
        return str(answer.json()["id_token"])


def _followed(browser: requests.Session, address: str, stop: str) -> str:
    """Where redirections lead: to a page, or to the address at which they stop."""
    while not address.startswith(stop):
        answer = browser.get(address, allow_redirects=False, timeout=10)
        if not answer.is_redirect:
            answer.raise_for_status()
            return address
        address = urljoin(address, answer.headers["location"])
    return address
