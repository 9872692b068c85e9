"""python -m privacy.api: answers gRPC calls."""

from kernel.rpc.server import main
from privacy.api.consents import ConsentServicer
from privacy.api.purposes import PurposeServicer
from privacy.wiring import build

if __name__ == "__main__":
    app = build()
    main(
        app,
        {
            "crm.privacy.v1.ConsentService": ConsentServicer(app),
            "crm.privacy.v1.PurposeService": PurposeServicer(app),
        },
    )
