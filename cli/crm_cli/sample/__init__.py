"""The sample company: what a newcomer finds in an installation that has just been made."""

from __future__ import annotations

from pathlib import Path

from crm_cli.client import Gateway
from crm_cli.local.stack import DemoLogin, StackInfo
from crm_cli.sample.archive import make_customers, make_orders, make_products
from crm_cli.sample.directory import Logins, make_staff, make_teams, open_erp
from crm_cli.tour import cdnow


def load(stack: StackInfo) -> list[DemoLogin]:
    """Loads the sample company through the gateway and returns how its staff sign in, the administrator
    first.

    Loading it again changes nothing and returns the same logins. Raises client.Refused or archive.NotLoaded.
    """
    folder = Path(stack.folder)
    gateway = Gateway(stack.gateway_url, Path(stack.ca_file))
    admin = gateway.password_account(stack.admin_login, stack.admin_password).session()
    logins = Logins(folder)
    staff, demo = make_staff(admin, make_teams(admin), logins)
    erp_account, erp_login = open_erp(gateway, admin, logins)
    erp = erp_account.session()
    customers = make_customers(admin, staff)
    make_products(erp)
    make_orders(erp, customers, cdnow.today())
    return [DemoLogin("admin", stack.admin_login, stack.admin_password, "管理员"), *demo, erp_login]
