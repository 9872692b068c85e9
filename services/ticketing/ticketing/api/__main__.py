"""python -m ticketing.api: answers gRPC calls."""

from kernel.rpc.server import main
from ticketing.api.forms import TicketFormServicer
from ticketing.api.rule_books import RuleBookServicer
from ticketing.api.subjects import SubjectServicer
from ticketing.api.surveys import SurveyServicer
from ticketing.api.tickets import TicketServicer
from ticketing.wiring import build

if __name__ == "__main__":
    app = build()
    main(
        app,
        {
            "crm.ticketing.v1.RuleBookService": RuleBookServicer(app),
            "crm.ticketing.v1.SubjectService": SubjectServicer(),
            "crm.ticketing.v1.SurveyService": SurveyServicer(app),
            "crm.ticketing.v1.TicketFormService": TicketFormServicer(app),
            "crm.ticketing.v1.TicketService": TicketServicer(app),
        },
    )
