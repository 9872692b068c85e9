"""python -m customer.api: answers gRPC calls."""

from customer.api.customers import CustomerServicer
from customer.api.duplicates import DuplicateServicer
from customer.api.exports import ExportServicer
from customer.api.groups import GroupServicer
from customer.api.imports import ImportServicer
from customer.api.internal import AudienceServicer, ContactServicer, IntakeServicer, SubjectServicer
from customer.api.timeline import TimelineServicer
from customer.wiring import build
from kernel.rpc.server import main

if __name__ == "__main__":
    app = build()
    main(
        app,
        {
            "crm.customer.v1.AudienceService": AudienceServicer(app),
            "crm.customer.v1.ContactService": ContactServicer(app),
            "crm.customer.v1.CustomerService": CustomerServicer(app),
            "crm.customer.v1.DuplicateService": DuplicateServicer(app),
            "crm.customer.v1.ExportService": ExportServicer(app),
            "crm.customer.v1.GroupService": GroupServicer(app),
            "crm.customer.v1.ImportService": ImportServicer(app),
            "crm.customer.v1.IntakeService": IntakeServicer(app),
            "crm.customer.v1.SubjectService": SubjectServicer(app),
            "crm.customer.v1.TimelineService": TimelineServicer(app),
        },
    )
