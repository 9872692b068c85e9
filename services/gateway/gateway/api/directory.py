"""DirectoryService: users, teams, roles, service accounts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar
from uuid import UUID

from crm.gateway.v1 import directory_service_pb2 as pb
from crm.gateway.v1 import identity_pb2
from gateway import metrics
from gateway.api import translate
from gateway.api.provider_tokens import ProviderTokens
from gateway.domain.accounts import USUAL_OVERLAP, ServiceAccount
from gateway.domain.errors import UserNotFound
from gateway.domain.teams import Team
from gateway.domain.users import CHANGEABLE
from gateway.store import queries
from gateway.usecases import change_roles
from gateway.usecases.change_accounts import (
    disable_service_account,
    enable_service_account,
    rotate_secret,
)
from gateway.usecases.change_password import reset_password
from gateway.usecases.change_teams import create_team, update_team
from gateway.usecases.create_user import create_service_account, create_user
from gateway.usecases.end_sessions import revoke_sessions
from gateway.usecases.link_users import link_user, unlink_user
from gateway.usecases.update_user import update_user
from gateway.wiring import GatewayApp
from kernel.pure.ids import parse_id
from kernel.pure.paging import page_size
from kernel.rpc.call import Call
from kernel.rpc.reading import duration

Row = TypeVar("Row")

_TEAM_FIELDS = ("name", "parent_id")


class DirectoryServicer:
    def __init__(self, app: GatewayApp, providers: ProviderTokens) -> None:
        self._app = app
        self._providers = providers

    # ---- users

    def create_user(self, request: pb.CreateUserRequest, call: Call) -> identity_pb2.User:
        draft = translate.user_draft(request.user)
        return translate.user(create_user(call.work, self._app.passwords, draft, request.password))

    def get_user(self, request: pb.GetUserRequest, call: Call) -> identity_pb2.User:
        row = queries.get_user(self._app.reader, self._app.sealer, parse_id(request.id, "id"))
        if row is None:
            raise UserNotFound
        call.viewed("user", [row.id])
        return translate.user(row)

    def list_users(self, request: pb.ListUsersRequest, call: Call) -> pb.ListUsersResponse:
        def read(after: UUID | None, limit: int) -> list[queries.UserRow]:
            return queries.list_users(self._app.reader, self._app.sealer, after, request.login, limit)

        rows, token = self._page(read, request, call, "ListUsers", request.login)
        call.viewed("user", [row.id for row in rows])
        return pb.ListUsersResponse(users=map(translate.user, rows), next_page_token=token)

    def update_user(self, request: pb.UpdateUserRequest, call: Call) -> identity_pb2.User:
        user_id = parse_id(request.user.id, "user.id")
        fields = translate.masked(request.update_mask, request.user, CHANGEABLE)
        draft = translate.user_draft(request.user)
        return translate.user(update_user(call.work, user_id, request.user.etag, draft, fields))

    def revoke_sessions(self, request: pb.RevokeSessionsRequest, call: Call) -> pb.RevokeSessionsResponse:
        ended = revoke_sessions(call.work, parse_id(request.user_id, "user_id"))
        metrics.sessions_ended.labels("revoked").inc(ended)
        return pb.RevokeSessionsResponse()

    def reset_password(self, request: pb.ResetPasswordRequest, call: Call) -> pb.ResetPasswordResponse:
        user_id = parse_id(request.user_id, "user_id")
        return pb.ResetPasswordResponse(password=reset_password(call.work, self._app.passwords, user_id))

    def link_user(self, request: pb.LinkUserRequest, call: Call) -> pb.LinkUserResponse:
        user_id = parse_id(request.user_id, "user_id")
        link_user(call.work, self._providers.issuers, user_id, request.issuer, request.subject)
        return pb.LinkUserResponse()

    def unlink_user(self, request: pb.UnlinkUserRequest, call: Call) -> pb.UnlinkUserResponse:
        unlink_user(call.work, parse_id(request.user_id, "user_id"), request.issuer)
        return pb.UnlinkUserResponse()

    # ---- teams

    def create_team(self, request: pb.CreateTeamRequest, call: Call) -> identity_pb2.Team:
        parent_id = translate.optional_id(request.team.parent_id, "team.parent_id")
        return translate.team(create_team(call.work, request.team.name, parent_id))

    def list_teams(self, request: pb.ListTeamsRequest, call: Call) -> pb.ListTeamsResponse:
        def read(after: UUID | None, limit: int) -> list[Team]:
            rows = queries.list_teams(self._app.reader, after, limit)
            return [Team(row.id, row.version, row.name, tuple(row.path)) for row in rows]

        rows, token = self._page(read, request, call, "ListTeams")
        return pb.ListTeamsResponse(teams=map(translate.team, rows), next_page_token=token)

    def update_team(self, request: pb.UpdateTeamRequest, call: Call) -> identity_pb2.Team:
        team = request.team
        return translate.team(
            update_team(
                call.work,
                parse_id(team.id, "team.id"),
                team.etag,
                team.name,
                translate.optional_id(team.parent_id, "team.parent_id"),
                translate.masked(request.update_mask, team, _TEAM_FIELDS),
            )
        )

    # ---- roles and service accounts

    def list_roles(self, request: pb.ListRolesRequest, call: Call) -> pb.ListRolesResponse:
        rows = queries.list_roles(self._app.reader)
        return pb.ListRolesResponse(roles=[translate.role(row, call.language) for row in rows])

    def create_role(self, request: pb.CreateRoleRequest, call: Call) -> identity_pb2.Role:
        made = change_roles.create_role(call.work, translate.role_draft(request.role))
        return translate.own_role(made)

    def update_role(self, request: pb.UpdateRoleRequest, call: Call) -> identity_pb2.Role:
        fields = translate.masked(request.update_mask, request.role, change_roles.CHANGEABLE)
        changed = change_roles.update_role(call.work, translate.role_draft(request.role), fields)
        return translate.own_role(changed)

    def delete_role(self, request: pb.DeleteRoleRequest, call: Call) -> pb.DeleteRoleResponse:
        change_roles.delete_role(call.work, request.id)
        return pb.DeleteRoleResponse()

    def create_service_account(
        self, request: pb.CreateServiceAccountRequest, call: Call
    ) -> pb.CreateServiceAccountResponse:
        asked = request.service_account
        account, secret = create_service_account(call.work, asked.name, tuple(sorted(set(asked.role_ids))))
        return pb.CreateServiceAccountResponse(
            service_account=translate.service_account(account), client_secret=secret
        )

    def disable_service_account(
        self, request: pb.DisableServiceAccountRequest, call: Call
    ) -> identity_pb2.ServiceAccount:
        return translate.service_account(disable_service_account(call.work, parse_id(request.id, "id")))

    def enable_service_account(
        self, request: pb.EnableServiceAccountRequest, call: Call
    ) -> identity_pb2.ServiceAccount:
        return translate.service_account(enable_service_account(call.work, parse_id(request.id, "id")))

    def rotate_service_account_secret(
        self, request: pb.RotateServiceAccountSecretRequest, call: Call
    ) -> pb.RotateServiceAccountSecretResponse:
        overlap = duration(request, "overlap", "overlap")
        kept = USUAL_OVERLAP if overlap is None else overlap
        account, secret = rotate_secret(call.work, parse_id(request.id, "id"), kept)
        return pb.RotateServiceAccountSecretResponse(
            service_account=translate.service_account(account), client_secret=secret
        )

    def list_service_accounts(
        self, request: pb.ListServiceAccountsRequest, call: Call
    ) -> pb.ListServiceAccountsResponse:
        def read(after: UUID | None, limit: int) -> list[ServiceAccount]:
            rows = queries.list_service_accounts(self._app.reader, after, limit)
            return [ServiceAccount(r.id, r.name, tuple(r.role_ids), *r[3:]) for r in rows]

        rows, token = self._page(read, request, call, "ListServiceAccounts")
        return pb.ListServiceAccountsResponse(
            service_accounts=map(translate.service_account, rows), next_page_token=token
        )

    def _page(
        self,
        read: Callable[[UUID | None, int], Sequence[Row]],
        request: Any,
        call: Call,
        *query: object,
    ) -> tuple[Sequence[Row], str]:
        """One page of rows in the order of their ids, and the token that continues after it."""
        size, bound = page_size(request.page_size), (*query, call.principal.id)
        cursor = self._app.page_tokens.open(bound, request.page_token)
        rows = read(UUID(cursor[0]) if cursor else None, size + 1)
        if len(rows) <= size:
            return rows, ""
        last: Any = rows[size - 1]
        return rows[:size], self._app.page_tokens.seal(bound, [str(last.id)])
