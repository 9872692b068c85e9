"""python -m gateway.api: answers gRPC calls."""

from gateway.api.auth import AuthServicer, TrustServicer
from gateway.api.directory import DirectoryServicer
from gateway.api.provider_tokens import ProviderTokens
from gateway.wiring import build
from kernel.rpc.server import main
from kernel.rpc.trust import trust_of

if __name__ == "__main__":
    app = build()
    trust = TrustServicer(app)
    providers = ProviderTokens(app.settings.oidc_providers)
    main(
        app,
        {
            "crm.gateway.v1.AuthService": AuthServicer(app, providers),
            "crm.gateway.v1.TrustService": trust,
            "crm.gateway.v1.DirectoryService": DirectoryServicer(app, providers),
        },
        fetch_trust=lambda: trust_of(trust.get_trust(None, None)),
    )
