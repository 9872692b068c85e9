"""An events process for tests: service "sales" hears what it tells, so that one process is the whole way.

An order's status says what its handler does: "refused" and "broken" fail for ever, each in its own
way; "flaky" fails as often as table failures still says; all others succeed.
"""

import kernel.bus.green  # noqa: F401  # isort: skip

from sqlalchemy import text

from crm.gateway.v1.events_pb2 import TeamsRecorded, UsersRecorded
from crm.sales.v1.events_pb2 import OrdersRecorded, ProductsRecorded
from kernel.bus.entrypoint import hears
from kernel.bus.envelope import Envelope
from kernel.bus.runner import main
from kernel.ops.settings import Settings
from kernel.pure.errors import Precondition
from kernel.sql.app import App
from kernel.sql.uow import UnitOfWork


class Sales(App):
    service = "sales"

    def check_store(self) -> str | None:
        return None


class OrderRefused(Precondition):
    reason = "ORDER_REFUSED"
    en = "no"
    zh = "否"


class Hearer:
    app: App

    @hears(OrdersRecorded)
    def apply_orders(self, work: UnitOfWork, event: OrdersRecorded, envelope: Envelope) -> None:
        for order in event.orders:
            work.session.execute(
                text("insert into effects (order_id, event_id) values (:order, :event)"),
                {"order": order.order_id, "event": envelope.id},
            )
            if order.status == "refused":
                raise OrderRefused
            if order.status == "broken":
                raise KeyError(order.status)
            if order.status == "flaky":
                self._fail_if_told()

    @hears(UsersRecorded, together=True)
    def follow_users(self, work: UnitOfWork, event: UsersRecorded, envelope: Envelope) -> None:
        """A second queue on the same connection; the user "broken" can't be followed."""
        for user in event.users:
            work.session.execute(
                text("insert into effects (order_id, event_id) values (:user, :event)"),
                {"user": user.user_id, "event": envelope.id},
            )
            if user.user_id == "broken":
                raise OrderRefused

    @hears(TeamsRecorded, together=True, patience=0.3)
    def follow_teams(self, work: UnitOfWork, event: TeamsRecorded, envelope: Envelope) -> None:
        for team in event.teams:
            work.session.execute(
                text("insert into effects (order_id, event_id) values (:team, :event)"),
                {"team": team.team_id, "event": envelope.id},
            )

    def _fail_if_told(self) -> None:
        # In a transaction of its own: that of the handler is rolled back.
        with self.app.engine.begin() as connection:
            told = connection.execute(text("update failures set left_ = left_ - 1 returning left_"))
            left = told.scalar_one()
        if left >= 0:
            raise ConnectionError


if __name__ == "__main__":
    main(Sales(Settings()), Hearer, nobody_yet={ProductsRecorded})
