"""What the directory and signing in may refuse."""

from __future__ import annotations

from uuid import UUID

from kernel.pure.errors import (
    AlreadyExists,
    Exhausted,
    Forbidden,
    NotFound,
    Precondition,
    Unauthenticated,
    Unavailable,
)


class SignInRefused(Unauthenticated):
    """Wrong login, wrong password or a disabled user: which of them is not told."""

    reason = "SIGN_IN_REFUSED"
    en = "Login or password is wrong."
    zh = "登录名或密码错误。"


class PasswordChangeRequired(Precondition):
    """Somebody else knows the password; only who knows it hears this."""

    reason = "PASSWORD_CHANGE_REQUIRED"
    en = "This password was given by an administrator; change it before you sign in."
    zh = "该密码由管理员设置，请先修改密码再登录。"


class ProviderTokenRefused(Unauthenticated):
    """Not of a provider that we name, not valid, or of nobody we know: which of them is not told."""

    reason = "PROVIDER_TOKEN_REFUSED"
    en = "This token does not sign anybody in here."
    zh = "该令牌无法用于登录。"


class ProviderUnavailable(Unavailable):
    reason = "PROVIDER_UNAVAILABLE"
    en = "The provider's keys can't be fetched; try again."
    zh = "暂时无法获取身份提供方的密钥，请重试。"


class ClientRefused(Unauthenticated):
    """Unknown or disabled service account, or a wrong secret."""

    reason = "CLIENT_REFUSED"
    en = "Client id or secret is wrong."
    zh = "客户端标识或密钥错误。"


class SessionOver(Unauthenticated):
    """The refresh token is unknown or expired, its session was ended, or its user may not sign in."""

    reason = "SESSION_OVER"
    en = "Your session is over; sign in again."
    zh = "会话已结束，请重新登录。"


class RefreshTokenReused(Unauthenticated):
    """A used refresh token came again, so somebody has a copy: the session must end."""

    reason = "REFRESH_TOKEN_REUSED"
    en = "This refresh token was used before, so the session was ended; sign in again."
    zh = "该刷新令牌已被使用过，会话已终止，请重新登录。"

    def __init__(self, session_id: UUID) -> None:
        self.session_id = session_id
        super().__init__()


class TooManyAttempts(Exhausted):
    reason = "TOO_MANY_ATTEMPTS"
    en = "Too many attempts; try again in {seconds} seconds."
    zh = "尝试次数过多，请在 {seconds} 秒后重试。"

    def __init__(self, seconds: float) -> None:
        super().__init__(seconds=max(1, round(seconds)))
        self.retry_after = max(1.0, seconds)


class UserNotFound(NotFound):
    reason = "USER_NOT_FOUND"
    en = "There is no such user."
    zh = "用户不存在。"


class ServiceAccountNotFound(NotFound):
    reason = "SERVICE_ACCOUNT_NOT_FOUND"
    en = "There is no such service account."
    zh = "服务账号不存在。"


class TeamNotFound(NotFound):
    reason = "TEAM_NOT_FOUND"
    en = "There is no such team."
    zh = "团队不存在。"


class RoleNotFound(NotFound):
    reason = "ROLE_NOT_FOUND"
    en = "There is no such role."
    zh = "角色不存在。"


class RoleIdTaken(AlreadyExists):
    reason = "ROLE_ID_TAKEN"
    en = "Another role has this id."
    zh = "该角色标识已被使用。"


class IdentityTaken(AlreadyExists):
    reason = "IDENTITY_TAKEN"
    en = "This subject of the provider is linked to another user."
    zh = "该身份已关联到其他用户。"


class LoginTaken(AlreadyExists):
    reason = "LOGIN_TAKEN"
    en = "Another user has this login."
    zh = "该登录名已被其他用户使用。"


class TeamBelowItself(Precondition):
    reason = "TEAM_BELOW_ITSELF"
    en = "A team can't be moved below itself."
    zh = "团队不能移动到自己的下级。"


class TeamsTooDeep(Precondition):
    reason = "TEAMS_TOO_DEEP"
    en = "Teams can be nested {levels} levels deep."
    zh = "团队最多可以嵌套 {levels} 层。"


class LastAdministrator(Precondition):
    """Otherwise nobody could ever manage users again."""

    reason = "LAST_ADMINISTRATOR"
    en = "This is the last user who can manage users; give that right to another one first."
    zh = "这是最后一个可以管理用户的用户，请先将该权限授予其他用户。"


class PresetRole(Precondition):
    """It is kept up to date by the product, so a change would be undone by the next release."""

    reason = "PRESET_ROLE"
    en = "A role shipped with the product can't be changed or deleted; make one of your own."
    zh = "系统预置角色不能修改或删除，请新建自定义角色。"


class RoleInUse(Precondition):
    reason = "ROLE_IN_USE"
    en = "{holders} users or service accounts have this role; take it from them first."
    zh = "有 {holders} 个用户或服务账号拥有该角色，请先收回。"


class BeyondOwnRights(Forbidden):
    """Else whoever manages users or roles could make themselves an administrator."""

    reason = "BEYOND_OWN_RIGHTS"
    en = "You can't give a right that reaches further than your own: {permission}."
    zh = "不能授予超出您自身范围的权限：{permission}。"
