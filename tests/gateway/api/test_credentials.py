"""Changing a password, giving a new one, and the secrets of service accounts, over the wire."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest
from google.protobuf.duration_pb2 import Duration

from crm.gateway.v1 import auth_service_pb2 as pb
from crm.gateway.v1 import directory_service_pb2 as directory
from crm.gateway.v1 import identity_pb2
from tests.gateway.api.conftest import AUTH, DIRECTORY, Gateway, NewLogin
from tests.gateway.conftest import PASSWORD
from tests.support.api import Refused

NEW = "a new password of mine"


def _change(login: str, new: str = NEW, password: str = PASSWORD) -> pb.ChangePasswordRequest:
    return pb.ChangePasswordRequest(login=login, password=password, new_password=new)


def _exchange(gateway: Gateway, account_id: str, secret: str) -> str:
    request = pb.ExchangeSecretRequest(client_id=account_id, client_secret=secret)
    return str(gateway.call(f"{AUTH}/ExchangeSecret", request).access_token)


@pytest.fixture
def admin(gateway: Gateway, new_login: NewLogin) -> str:
    return gateway.as_user(new_login(), "admin")


@pytest.fixture
def account(gateway: Gateway, admin: str) -> directory.CreateServiceAccountResponse:
    asked = identity_pb2.ServiceAccount(name="erp", role_ids=["integration"])
    request = directory.CreateServiceAccountRequest(service_account=asked)
    made: directory.CreateServiceAccountResponse = gateway.call(
        f"{DIRECTORY}/CreateServiceAccount", request, admin
    )
    return made


def _rotate(gateway: Gateway, admin: str, account_id: str, overlap: timedelta | None = None) -> str:
    request = directory.RotateServiceAccountSecretRequest(id=account_id)
    if overlap is not None:
        duration = Duration()
        duration.FromTimedelta(overlap)
        request.overlap.CopyFrom(duration)
    return str(gateway.call(f"{DIRECTORY}/RotateServiceAccountSecret", request, admin).client_secret)


def test_a_new_password_takes_the_place_of_the_old_one(gateway: Gateway, new_login: NewLogin) -> None:
    gateway.user(login := new_login())
    before = gateway.login(login)
    gateway.call(f"{AUTH}/ChangePassword", _change(login))
    assert gateway.login(login, NEW).access_token
    old = gateway.refusal(f"{AUTH}/Login", pb.LoginRequest(login=login, password=PASSWORD))
    assert old.reason == "SIGN_IN_REFUSED"
    used = gateway.refusal(f"{AUTH}/Refresh", pb.RefreshRequest(refresh_token=before.refresh_token))
    assert used.reason == "SESSION_OVER"
    assert gateway.until_refused(before.access_token).reason == "TOKEN_REVOKED"


def test_without_the_old_password_nothing_changes(gateway: Gateway, new_login: NewLogin) -> None:
    gateway.user(login := new_login())
    wrong = gateway.refusal(f"{AUTH}/ChangePassword", _change(login, password="not the password"))
    unknown = gateway.refusal(f"{AUTH}/ChangePassword", _change(new_login()))
    assert wrong.reason == "SIGN_IN_REFUSED"
    assert wrong.status == unknown.status
    assert gateway.login(login).access_token


@pytest.mark.parametrize(("new", "rule"), [("short", "PASSWORD_LENGTH"), (PASSWORD, "PASSWORD_UNCHANGED")])
def test_a_new_password_is_long_and_new(gateway: Gateway, new_login: NewLogin, new: str, rule: str) -> None:
    gateway.user(login := new_login())
    refusal = gateway.refusal(f"{AUTH}/ChangePassword", _change(login, new))
    assert refusal.fields == [("new_password", rule)]


def test_guessing_by_changing_is_throttled_with_logins(gateway: Gateway, new_login: NewLogin) -> None:
    gateway.user(login := new_login())
    for _ in range(5):
        gateway.refusal(f"{AUTH}/ChangePassword", _change(login, password="not the password"))
    throttled = gateway.refusal(f"{AUTH}/Login", pb.LoginRequest(login=login, password=PASSWORD))
    assert throttled.reason == "TOO_MANY_ATTEMPTS"


def test_a_password_that_was_given_is_changed_before_the_first_login(
    gateway: Gateway, new_login: NewLogin, admin: str
) -> None:
    user_id = gateway.user(login := new_login(), "seller")
    before = gateway.login(login)
    request = directory.ResetPasswordRequest(user_id=user_id)
    given = gateway.call(f"{DIRECTORY}/ResetPassword", request, admin).password
    assert gateway.until_refused(before.access_token).reason == "TOKEN_REVOKED"
    for password, reason in ((PASSWORD, "SIGN_IN_REFUSED"), (given, "PASSWORD_CHANGE_REQUIRED")):
        refusal = gateway.refusal(f"{AUTH}/Login", pb.LoginRequest(login=login, password=password))
        assert refusal.reason == reason
    gateway.call(f"{AUTH}/ChangePassword", _change(login, password=given))
    assert gateway.login(login, NEW).access_token


def test_who_may_do_less_does_not_give_a_password_to_who_may_do_more(
    gateway: Gateway, new_login: NewLogin, admin: str
) -> None:
    """Else whoever manages users could sign in as an administrator."""
    role = identity_pb2.Role(
        id=f"keeper_{uuid4().hex[:8]}",
        title="Keeper",
        grants=[identity_pb2.Grant(permission="gateway.users.manage", scope=identity_pb2.SCOPE_ALL)],
    )
    gateway.call(f"{DIRECTORY}/CreateRole", directory.CreateRoleRequest(role=role), admin)
    keeper = gateway.as_user(new_login(), role.id)
    victim = gateway.user(login := new_login(), "admin")
    request = directory.ResetPasswordRequest(user_id=victim)
    assert gateway.refusal(f"{DIRECTORY}/ResetPassword", request, keeper).reason == "BEYOND_OWN_RIGHTS"
    assert gateway.login(login).access_token


def test_a_reset_sent_again_answers_the_same_password(
    gateway: Gateway, new_login: NewLogin, admin: str
) -> None:
    user_id = gateway.user(new_login())
    request = directory.ResetPasswordRequest(user_id=user_id, request_id=str(uuid4()))
    answers = {gateway.call(f"{DIRECTORY}/ResetPassword", request, admin).password for _ in range(2)}
    assert len(answers) == 1


def test_a_disabled_account_gets_no_token_and_loses_those_it_has(
    gateway: Gateway, admin: str, account: directory.CreateServiceAccountResponse
) -> None:
    account_id, secret = account.service_account.id, account.client_secret
    token = _exchange(gateway, account_id, secret)
    disable = directory.DisableServiceAccountRequest(id=account_id)
    for _ in range(2):
        assert gateway.call(f"{DIRECTORY}/DisableServiceAccount", disable, admin).disabled
    with pytest.raises(Refused) as refused:
        _exchange(gateway, account_id, secret)
    assert refused.value.reason == "CLIENT_REFUSED"
    assert gateway.until_refused(token).reason == "TOKEN_REVOKED"
    enable = directory.EnableServiceAccountRequest(id=account_id)
    assert not gateway.call(f"{DIRECTORY}/EnableServiceAccount", enable, admin).disabled
    assert _exchange(gateway, account_id, secret)


def test_two_secrets_work_while_a_program_changes_over(
    gateway: Gateway, admin: str, account: directory.CreateServiceAccountResponse
) -> None:
    account_id, first = account.service_account.id, account.client_secret
    second = _rotate(gateway, admin, account_id)
    assert _exchange(gateway, account_id, first)
    assert _exchange(gateway, account_id, second)
    third = _rotate(gateway, admin, account_id)
    assert _exchange(gateway, account_id, second)
    assert _exchange(gateway, account_id, third)
    with pytest.raises(Refused):
        _exchange(gateway, account_id, first)


def test_without_overlap_the_old_secret_and_its_tokens_end_at_once(
    gateway: Gateway, admin: str, account: directory.CreateServiceAccountResponse
) -> None:
    """For a secret that leaked."""
    account_id, leaked = account.service_account.id, account.client_secret
    token = _exchange(gateway, account_id, leaked)
    fresh = _rotate(gateway, admin, account_id, timedelta(0))
    with pytest.raises(Refused):
        _exchange(gateway, account_id, leaked)
    assert gateway.until_refused(token).reason == "TOKEN_REVOKED"
    assert _exchange(gateway, account_id, fresh)


@pytest.mark.parametrize("overlap", [timedelta(seconds=-1), timedelta(days=7, seconds=1)])
def test_an_overlap_is_at_most_a_week(
    gateway: Gateway, admin: str, account: directory.CreateServiceAccountResponse, overlap: timedelta
) -> None:
    with pytest.raises(Refused) as refused:
        _rotate(gateway, admin, account.service_account.id, overlap)
    assert refused.value.fields == [("overlap", "SECRET_OVERLAP")]


@pytest.mark.parametrize(
    "method", ["DisableServiceAccount", "EnableServiceAccount", "RotateServiceAccountSecret"]
)
def test_an_unknown_account_is_not_found(gateway: Gateway, admin: str, method: str) -> None:
    request = getattr(directory, f"{method}Request")(id=str(uuid4()))
    assert gateway.refusal(f"{DIRECTORY}/{method}", request, admin).reason == "SERVICE_ACCOUNT_NOT_FOUND"
