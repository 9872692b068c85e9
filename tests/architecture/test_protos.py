"""The contracts keep what the gateway, privacy and every consumer rely on."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
import yaml
from google.protobuf.descriptor import FieldDescriptor, MethodDescriptor

from crm.options.v1 import options_pb2
from tests.architecture import descriptors
from tests.architecture.house import ROOT, SERVICES, name, text, tracked

METHODS = sorted(descriptors.methods(), key=lambda method: str(method.full_name))
EVENTS = sorted(descriptors.events())

# A field of one of these names holds data of a natural person, or must say below why it does not.
PERSONAL_NAMES = re.compile(
    r"(^|_)(full_name|first_name|last_name|given_name|family_name|display_name|nickname|contact_name|phones?"
    r"|mobiles?|telephones?|fax|emails?|wechat|weixin|street_address|address|addresses|birth_date|birthday"
    r"|id_number|identity_number|passport|id_card|bank_card|card_number|bank_account|note|notes|remark|remarks"
    r"|comment|transcript)$"
)
IMPERSONAL = {
    "crm.customer.v1.Company": "not a data subject: its switchboard and registry data stand in clear",
}
# Permissions that decide what an answer shows, and not who may ask.
BESIDE_METHODS = {
    "customer.restricted.read": "people whose data is restricted are shown instead of refused",
    "customer.exports.raw": "a file holds cells as they are stored, and not as spreadsheets bear them",
    "customer.personal.read": "personal fields are shown as they are instead of masked",
    "ticketing.personal.read": "the same of what people said in tickets, and who they are",
    "sales.personal.read": "words about people are shown as they are instead of masked",
}
WIDE = {
    FieldDescriptor.TYPE_INT64,
    FieldDescriptor.TYPE_UINT64,
    FieldDescriptor.TYPE_SINT64,
    FieldDescriptor.TYPE_FIXED64,
    FieldDescriptor.TYPE_SFIXED64,
}
FLOATING = {FieldDescriptor.TYPE_DOUBLE, FieldDescriptor.TYPE_FLOAT}
READS = ("Get", "List", "Count", "Search", "Suggest", "Explain")
# Reads whose question must not stand in a URL, where logs and histories keep it.
POSTED_READS = ("Search",)


def fields() -> Iterator[FieldDescriptor]:
    for message in descriptors.messages():
        if not str(message.full_name).startswith("crm.options."):
            yield from message.fields


def names(found: list[FieldDescriptor] | list[MethodDescriptor]) -> str:
    return "\n".join(str(one.full_name) for one in found)


def test_every_method_says_who_may_call_it() -> None:
    """Access is data, denied by default: exactly one of permission, anyone, signed_in and internal."""
    wrong = []
    for method in METHODS:
        said = descriptors.access(method)
        if (
            said is None
            or sum([bool(said.permission), bool(said.anyone), said.signed_in, said.internal]) != 1
        ):
            wrong.append(method)
    assert not wrong, names(wrong)


def test_public_methods_have_a_json_path_and_internal_ones_none() -> None:
    """A web page reaches whatever a gRPC client reaches; nobody outside reaches what is internal."""
    wrong = [
        method
        for method in METHODS
        if (said := descriptors.access(method)) is not None
        and said.internal == (descriptors.route(method) is not None)
    ]
    assert not wrong, names(wrong)


def test_permissions_are_named_service_noun_verb() -> None:
    """A role is readable, and the owner of a permission known, by its name alone."""
    wrong = []
    for method in METHODS:
        service = str(method.containing_service.file.package).split(".")[1]
        said = descriptors.access(method)
        if said is not None and said.permission:
            if not re.fullmatch(rf"{service}\.[a-z][a-z_]*\.[a-z][a-z_]*", said.permission):
                wrong.append(method)
    assert not wrong, names(wrong)


def test_open_methods_name_a_known_guard() -> None:
    """What anyone may call is protected by something else, and says by what."""
    wrong = [
        method
        for method in METHODS
        if (said := descriptors.access(method)) is not None and said.anyone not in ("", "throttle", "none")
    ]
    assert not wrong, names(wrong)


def test_reads_and_only_reads_say_that_they_have_no_side_effect() -> None:
    """The gateway retries what is safe to repeat, and knows it from the contract."""
    wrong = []
    for method in METHODS:
        safe = method.GetOptions().idempotency_level == 1
        route = descriptors.route(method)
        name = str(method.name)
        by_get = safe and not name.startswith(POSTED_READS)
        if safe != name.startswith(READS) or (route is not None and bool(route.get) != by_get):
            wrong.append(method)
    assert not wrong, names(wrong)


def test_no_two_methods_share_a_json_path() -> None:
    """The transcoder would take the first and never say so."""
    seen: dict[tuple[str, str], str] = {}
    for method in METHODS:
        route = descriptors.route(method)
        if route is not None:
            kind = str(route.WhichOneof("pattern"))
            path = re.sub(r"\{[^}]*\}", "{}", getattr(route, kind))
            assert (kind, path) not in seen, f"{method.full_name} and {seen[kind, path]} share {kind} {path}"
            seen[kind, path] = str(method.full_name)


def test_permissions_in_code_are_declared_by_a_method() -> None:
    """A misspelt permission in a role or a query grants or hides nothing, and nobody notices."""
    declared = {said.permission for method in METHODS if (said := descriptors.access(method)) is not None}
    declared |= set(BESIDE_METHODS)
    nouns = {tuple(permission.split(".")[:2]) for permission in declared if permission}
    form = re.compile(rf"""["'](({"|".join(SERVICES)})\.([a-z_]+)\.[a-z_]+)["']""")
    strange = [
        f"{name(path)}: {permission}"
        for path in tracked()
        if path.suffix == ".py" and (ROOT / "services") in path.parents
        for permission, service, noun in form.findall(text(path))
        if (service, noun) in nouns and permission not in declared
    ]
    assert not strange, "\n".join(strange)


def test_services_call_each_other_by_declared_methods_only() -> None:
    """calls.yaml is the whole list of synchronous calls; a typing error in it would open or close nothing."""
    calls: dict[str, list[str]] = yaml.safe_load(text(ROOT / "protos/calls.yaml"))
    known = {f"{method.containing_service.full_name}/{method.name}" for method in METHODS}
    assert set(calls) == set(SERVICES)
    assert {called for methods in calls.values() for called in methods} <= known


def test_personal_fields_say_so() -> None:
    """Sealing, masking, redaction and erasure follow the option; a field without it escapes them all."""
    silent = [
        field
        for field in fields()
        if PERSONAL_NAMES.search(str(field.name))
        and str(field.full_name).rpartition(".")[0] not in IMPERSONAL
        and descriptors.personal(field) is None
    ]
    assert not silent, names(silent)


def test_the_personal_option_is_complete() -> None:
    """Half an option would seal a field and show it to everyone, or the other way round."""
    half = [
        field
        for field in fields()
        if (said := descriptors.personal(field)) is not None
        and options_pb2.CATEGORY_UNSPECIFIED in (said.category, said.sensitivity, said.mask)
    ]
    assert not half, names(half)


def test_no_field_is_floating_point() -> None:
    """A float rounds money and changes ids on their way through JSON; amounts are decimal text.

    Log-odds are no amounts: they are estimates, and real numbers by nature.
    """
    floats = [f for f in fields() if f.type in FLOATING and f.name not in ("score", "weight")]
    assert not floats, names(floats)


@pytest.mark.parametrize("event", EVENTS)
def test_events_carry_no_personal_data(event: str) -> None:
    """Queues, dead letters and the broker's disk cannot be erased subject by subject."""
    found = [
        field
        for field in descriptors.reachable(descriptors.events()[event])
        if descriptors.personal(field) is not None or PERSONAL_NAMES.search(str(field.name))
    ]
    assert not found, names(found)


@pytest.mark.parametrize("event", EVENTS)
def test_events_carry_no_64_bit_integer(event: str) -> None:
    """Canonical JSON writes them as text; 32 bits keep the body plain numbers in every language."""
    found = [field for field in descriptors.reachable(descriptors.events()[event]) if field.type in WIDE]
    assert not found, names(found)


@pytest.mark.parametrize("event", EVENTS)
def test_events_are_facts_in_the_past_tense(event: str) -> None:
    """An event asks nobody for anything: it happened."""
    assert re.fullmatch(r"[A-Z]\w+(ed|en|un|on|ost|old|nt|ut|et|Due)", event.rpartition(".")[2])


@pytest.mark.parametrize("event", EVENTS)
def test_every_item_of_a_bulk_event_has_an_id_and_a_version(event: str) -> None:
    """A consumer applies what is newer than what it holds, whatever the order of arrival."""
    for item in descriptors.events()[event].nested_types:
        told = [str(field.name) for field in item.fields]
        assert told[0].endswith("_id")
        assert "version" in told
