"""python -m privacy.api: answers gRPC calls."""

from kernel.rpc.server import main
from privacy.api.audit import AuditServicer
from privacy.api.consents import ConsentServicer
from privacy.api.erasures import ErasureServicer
from privacy.api.permits import PermitServicer
from privacy.api.purposes import PurposeServicer
from privacy.wiring import build

if __name__ == "__main__":
    app = build()
    main(
        app,
        {
            "crm.privacy.v1.AuditService": AuditServicer(app),
            "crm.privacy.v1.ConsentService": ConsentServicer(app),
            "crm.privacy.v1.ErasureService": ErasureServicer(app),
            "crm.privacy.v1.PermitService": PermitServicer(app),
            "crm.privacy.v1.PurposeService": PurposeServicer(app),
        },
    )
