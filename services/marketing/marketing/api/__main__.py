"""python -m marketing.api: answers gRPC calls."""

from kernel.rpc.server import main
from marketing.api.campaigns import CampaignServicer
from marketing.api.subjects import SubjectServicer
from marketing.api.suppressions import SuppressionServicer
from marketing.api.tracking import TrackingServicer
from marketing.wiring import build

if __name__ == "__main__":
    app = build()
    main(
        app,
        {
            "crm.marketing.v1.CampaignService": CampaignServicer(app),
            "crm.marketing.v1.SubjectService": SubjectServicer(),
            "crm.marketing.v1.SuppressionService": SuppressionServicer(app),
            "crm.marketing.v1.TrackingService": TrackingServicer(app),
        },
    )
