"""The audit by the api: who viewed, changed, deleted what; and whether it is what was sealed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from crm.privacy.v1 import audit_service_pb2 as rpc
from crm_cli import audit as command
from kernel.pure.audit_chain import GENESIS, PURPOSE, AuditEntry, chained, entry_of, sign
from kernel.pure.grants import Principal
from kernel.pure.ids import new_id
from kernel.pure.signing import Signer
from privacy.api.audit import AuditServicer
from privacy.domain.audit import Batch
from privacy.usecases.keep_audit import keep_audit
from privacy.wiring import PrivacyApp
from tests.privacy.conftest import NOON
from tests.privacy.people import officer
from tests.support.api import Api, Refused

OFFICER = officer()
AUDIT = "crm.privacy.v1.AuditService"
SIGNER = Signer(bytes(range(32)), PURPOSE)
LI, WANG = str(new_id()), str(new_id())


def entry(number: int, action: str, object_ids: Sequence[str], actor: str) -> AuditEntry:
    facts = {"ids": list(object_ids)} if len(object_ids) > 1 else {}
    return entry_of(
        NOON + timedelta(seconds=number), facts, None, id=new_id(), actor_kind="user", actor_id=actor,
        action=action, object_type="customer", object_id=object_ids[0] if len(object_ids) == 1 else "",
    )  # fmt: skip


def keep(app: PrivacyApp, service: str, *entries: AuditEntry) -> None:
    """A service sealed these and signed after the last."""
    hash = GENESIS
    for one in entries:
        hash = chained(hash, one)
    signed = sign(SIGNER, service, len(entries), hash, NOON)
    with app.work(Principal.service("privacy")) as work:
        keep_audit(work, Batch(service, 1, GENESIS, entries, hash, signed))


@pytest.fixture
def kept(app: PrivacyApp) -> None:
    keep(
        app, "customer",
        entry(1, "create", ["c-1"], LI), entry(2, "view:ListCustomers", ["c-1", "c-2"], WANG),
        entry(3, "update", ["c-1"], LI), entry(4, "delete", ["c-2"], LI), entry(5, "reveal", ["c-1"], WANG),
    )  # fmt: skip
    keep(app, "sales", entry(6, "view:GetOrder", ["o-1"], LI))


def found(api: Api, filter: str = "", size: int = 50) -> list[str]:
    actions, token = [], ""
    while True:
        request = rpc.ListAuditEntriesRequest(filter=filter, page_size=size, page_token=token)
        answer = api.call(f"{AUDIT}/ListAuditEntries", request, OFFICER)
        actions += [one.entry.action for one in answer.entries]
        token = answer.next_page_token
        if not token:
            return actions


@pytest.mark.usefixtures("kept")
@pytest.mark.parametrize(
    ("filter", "actions"),
    [
        ("", ["view:GetOrder", "reveal", "delete", "update", "view:ListCustomers", "create"]),
        ('"c-1" in object.ids', ["reveal", "update", "view:ListCustomers", "create"]),
        ('"c-2" in object.ids && action.startsWith("view:")', ["view:ListCustomers"]),
        (f'actor.id == "{WANG}"', ["reveal", "view:ListCustomers"]),
        ('service == "sales"', ["view:GetOrder"]),
        (
            'at >= timestamp("2026-06-30T04:00:04Z") && at < timestamp("2026-06-30T04:00:06Z")',
            ["reveal", "delete"],
        ),
    ],
)
def test_it_tells_who_viewed_changed_and_deleted_what(api: Api, filter: str, actions: list[str]) -> None:
    assert found(api, filter) == found(api, filter, size=2) == actions


@pytest.mark.usefixtures("kept")
def test_what_can_not_be_asked_for_is_refused(api: Api) -> None:
    with pytest.raises(Refused) as refused:
        found(api, 'facts == "x"')
    assert refused.value.fields[0][1] == "FILTER_ATTRIBUTE"


def verdicts(api: Api) -> dict[str, Any]:
    answer = api.call(f"{AUDIT}/GetAuditVerdicts", rpc.GetAuditVerdictsRequest(), OFFICER)
    return {
        one.service: (one.entries, one.signed_position, one.fault_position, one.fault)
        for one in answer.verdicts
    }


@pytest.mark.usefixtures("kept")
def test_whole_chains_are_found_whole(api: Api) -> None:
    assert verdicts(api) == {"customer": ("5", "5", "", ""), "sales": ("1", "1", "", "")}


@pytest.mark.usefixtures("kept")
@pytest.mark.parametrize(
    ("tamper", "fault"),
    [
        ("update sealed_entries set actor_id = 'nobody' where position = 3", ("3", "ALTERED")),
        ("delete from sealed_entries where service = 'customer' and position = 2", ("2", "MISSING")),
        ("delete from sealed_entries where service = 'customer' and position > 3", ("4", "TRUNCATED")),
    ],
)
def test_whoever_gets_round_the_guards_is_found(api: Api, app: PrivacyApp, tamper: str, fault: Any) -> None:
    with app.engine.begin() as connection:
        connection.execute(text("set session_replication_role = replica"))
        connection.execute(text(tamper))
        connection.execute(text("set session_replication_role = default"))
    said = verdicts(api)
    assert said["customer"][2:] == fault
    assert said["sales"][2:] == ("", "")


class Stack:
    """What the command asks of an installation; the calls go to the api under test."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self.audit = self

    GetAuditVerdicts, ListAuditLinks = "GetAuditVerdicts", "ListAuditLinks"

    def call(self, method: str, request: Any, deadline: float = 0.0) -> Any:
        return self._api.call(f"{AUDIT}/{method}", request, OFFICER)


@pytest.mark.usefixtures("kept")
def test_an_exported_chain_is_checked_without_asking_anybody(
    api: Api, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(command, "_officer", lambda info: Stack(api))
    file = tmp_path / "customer.jsonl"
    assert command.export(None, "customer", file) == 5  # type: ignore[arg-type]
    key = SIGNER.public.hex()
    assert command.verify_file(file, key, {}) == command.verify_file(file, None, {"customer": key}) == 0
    assert command.verify_file(file, None, {}) == command.UNPINNED
    assert command.verify_file(file, "00" * 32, {}) == 1
    file.write_text(file.read_text("utf-8").replace(LI, WANG), "utf-8")
    assert command.verify_file(file, key, {}) == 1
    assert "ALTERED at 1" in capsys.readouterr().out


@pytest.mark.usefixtures("kept")
def test_the_command_walks_the_chains_itself_and_asks_the_services_what_they_hold(
    api: Api, app: PrivacyApp, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Neither privacy's verdict nor the key it names is believed."""
    ends = {row.service: row.hash for row in app.reader.rows("select service, hash from sealed_checkpoints")}
    key = SIGNER.public.hex()
    keys = {"customer": key, "sales": key}
    monkeypatch.setattr(command, "_officer", lambda info: Stack(api))
    monkeypatch.setattr(command, "_held", lambda info, service, position: bytes(ends[service]))
    info: Any = None
    assert command.verify(info, keys) == 0
    assert command.verify(info, keys | {"sales": "00" * 32}) == 1
    assert "SIGNED_BY_ANOTHER_KEY" in capsys.readouterr().out
    ends["sales"] = bytes(32)
    assert command.verify(info, keys) == 1
    assert "FORKED at 1" in capsys.readouterr().out
    with app.engine.begin() as connection:
        connection.exec_driver_sql("set local session_replication_role = replica")
        connection.exec_driver_sql("update sealed_entries set actor_id = 'x' where service = 'customer'")
    monkeypatch.setattr(AuditServicer, "_verdict", _all_is_well)
    assert command.verify(info, keys) == 1
    assert "ALTERED at 1" in capsys.readouterr().out


def _all_is_well(servicer: AuditServicer, known: Any) -> rpc.AuditVerdict:
    """What a privacy service that lies would say."""
    return rpc.AuditVerdict(
        service=known.service, entries="5", signed_position="1", public_key=SIGNER.public.hex()
    )
