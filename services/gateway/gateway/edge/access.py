"""Who may call what. The base filter denies everything; each route allows what its method's proto says."""

from __future__ import annotations

from gateway.edge import jwt
from gateway.edge.catalogue import PublicMethod
from gateway.edge.files import Json, typed

FILTER = "envoy.filters.http.rbac"
_TYPE = "extensions.filters.http.rbac.v3.RBAC"


def http_filter() -> Json:
    """Denies: what no route allows is refused."""
    return {"name": FILTER, "typed_config": typed(_TYPE, rules={"action": "ALLOW", "policies": {}})}


def of_method(method: PublicMethod) -> Json:
    """The filters' part in a method's route."""
    if method.anyone:
        return for_anyone()
    if method.signed_in:
        return {
            jwt.FILTER: jwt.required(),
            FILTER: _allow("signed in", _claim("sub", {"present_match": True})),
        }
    holds = {"list_match": {"one_of": {"string_match": {"exact": method.permission}}}}
    return {jwt.FILTER: jwt.required(), FILTER: _allow(method.permission, _claim("perms", holds))}


def for_anyone() -> Json:
    """The filters' part in a route that needs no token."""
    return {jwt.FILTER: jwt.ignored(), FILTER: _allow("anyone", {"any": True})}


def _claim(name: str, value: Json) -> Json:
    """A caller whose verified token has such a claim."""
    return {
        "sourced_metadata": {
            "metadata_source": "DYNAMIC",
            "metadata_matcher": {
                "filter": jwt.FILTER,
                "path": [{"key": jwt.PAYLOAD}, {"key": name}],
                "value": value,
            },
        }
    }


def _allow(policy: str, principal: Json) -> Json:
    rule = {"permissions": [{"any": True}], "principals": [principal]}
    return typed(
        "extensions.filters.http.rbac.v3.RBACPerRoute",
        rbac={"rules": {"action": "ALLOW", "policies": {policy: rule}}},
    )
