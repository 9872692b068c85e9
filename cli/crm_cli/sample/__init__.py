"""The sample company: what a newcomer finds in an installation that has just been made."""

from __future__ import annotations

from pathlib import Path

import grpc

from crm.customer.v1.customer_service_pb2 import ListCustomersRequest
from crm.gateway.v1.directory_service_pb2 import ListUsersRequest
from crm_cli.client import Gateway, Refused, Session
from crm_cli.local.stack import DemoLogin, StackInfo
from crm_cli.sample.archive import make_customers, make_orders, make_products
from crm_cli.sample.directory import Logins, make_portal_user, make_staff, make_teams, open_erp
from crm_cli.tour import cdnow


def wanted(stack: StackInfo) -> bool:
    """Whether the databases are empty: no user but the first administrator, no customer. An administrator
    who has another password by now has been at work there, too."""
    try:
        admin = _administrator(stack)
        users = admin.call(admin.directory.ListUsers, ListUsersRequest(page_size=2)).users
        if [user.login for user in users] != [stack.admin_login]:
            return False
        return not admin.call(admin.customers.ListCustomers, ListCustomersRequest(page_size=1)).customers
    except Refused as refused:
        if refused.code is not grpc.StatusCode.UNAUTHENTICATED:
            raise
        return False


def load(stack: StackInfo) -> list[DemoLogin]:
    """Loads the sample company through the gateway and returns how its people sign in, the
    administrator first.

    Loading it again changes nothing and returns the same logins. Raises client.Refused or archive.NotLoaded.
    """
    folder = Path(stack.folder)
    admin = _administrator(stack)
    gateway = admin.account.gateway
    logins = Logins(folder)
    staff, demo = make_staff(admin, make_teams(admin), logins)
    erp_account, erp_login = open_erp(gateway, admin, logins)
    erp = erp_account.session()
    customers = make_customers(admin, staff)
    demo.append(make_portal_user(admin, customers, logins))
    make_products(erp)
    make_orders(erp, customers, cdnow.today())
    return [DemoLogin("admin", stack.admin_login, stack.admin_password, "管理员"), *demo, erp_login]


def _administrator(stack: StackInfo) -> Session:
    gateway = Gateway(stack.gateway_url, Path(stack.ca_file))
    return gateway.password_account(stack.admin_login, stack.admin_password).session()
