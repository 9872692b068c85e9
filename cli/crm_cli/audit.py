"""`crm audit`: whether the audit rows of all services are what was signed."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import fields
from pathlib import Path

import psycopg
from google.protobuf.json_format import MessageToDict
from rich.table import Table

from crm.privacy.v1.audit_service_pb2 import (
    AuditVerdict,
    GetAuditVerdictsRequest,
    ListAuditLinksRequest,
    ListAuditLinksResponse,
)
from crm_cli.client import Gateway, Session
from crm_cli.local.report import make_console
from crm_cli.local.stack import StackInfo
from kernel.pure.audit_chain import GENESIS, AuditEntry, Checkpoint, Link, first_fault

# What a check answers, as the command's exit code.
HOLDS, BROKEN, UNPINNED = 0, 1, 3
_WHOLE = "whole"
# Seconds a walk over all chains may take.
_PATIENCE = 300.0


def verify(info: StackInfo, pinned: Mapping[str, str]) -> int:
    """Walks every chain that the privacy service keeps, here and not there, with the keys of the
    installation's set-up (`pinned`), and compares its end with what the service itself holds; 0 when all
    are whole."""
    session = _officer(info)
    answer = session.call(session.audit.GetAuditVerdicts, GetAuditVerdictsRequest(), deadline=_PATIENCE)
    table = Table(box=None, pad_edge=False)
    for column in ("service", "rows", "signed up to", "verdict"):
        table.add_column(column)
    broken = False
    for verdict in answer.verdicts:
        said = _said(session, info, verdict, pinned.get(verdict.service, ""))
        broken = broken or said != _WHOLE
        table.add_row(verdict.service, verdict.entries, verdict.signed_position, said)
    make_console().print(table if answer.verdicts else "nothing was audited yet")
    return BROKEN if broken else HOLDS


def _said(session: Session, info: StackInfo, verdict: AuditVerdict, key: str) -> str:
    """What is found of a service's chain; the privacy service's own verdict is one voice among others."""
    if verdict.public_key and verdict.public_key != key:
        return "SIGNED_BY_ANOTHER_KEY"
    position, hash = 0, GENESIS
    for page in _pages(session, verdict.service):
        links = [_link(MessageToDict(link, preserving_proto_field_name=True)) for link in page.links]
        documents = [MessageToDict(one, preserving_proto_field_name=True) for one in page.checkpoints]
        signed = [Checkpoint(**_whole(one, Checkpoint)) for one in documents]
        public = bytes.fromhex(key)
        fault = first_fault(
            verdict.service, links, signed, public, start=position + 1, previous=hash
        )  # fmt: skip
        if fault:
            return f"{fault.why} at {fault.position}"
        if links:
            position, hash = links[-1].position, links[-1].hash
    if position < int(verdict.signed_position):
        return f"TRUNCATED at {position + 1}"
    if verdict.fault:
        return f"{verdict.fault} at {verdict.fault_position}, says privacy"
    held = _held(info, verdict.service, position)
    return _WHOLE if held in (None, hash) else f"FORKED at {position}"


def _held(info: StackInfo, service: str, position: int) -> bytes | None:
    """The hash that the service's own chain has at a position; None before its first row."""
    if not position:
        return None
    with psycopg.connect(info.service(service).database_url) as connection:
        row = connection.execute("select hash from audit_chain where position = %s", [position]).fetchone()
    return bytes(row[0]) if row else b""


def _pages(session: Session, service: str) -> Iterator[ListAuditLinksResponse]:
    """The chain of a service as the privacy service keeps it."""
    token = ""
    while True:
        request = ListAuditLinksRequest(service=service, page_size=200, page_token=token)
        page = session.call(session.audit.ListAuditLinks, request)
        yield page
        token = page.next_page_token
        if not token:
            return


def export(info: StackInfo, service: str, file: Path) -> int:
    """Writes a service's chain as JSON lines: its name, then rows and checkpoints; how many rows."""
    count = 0
    with file.open("w", encoding="utf-8") as lines:
        print(json.dumps({"service": service}), file=lines)
        for page in _pages(_officer(info), service):
            for kind, messages in (("link", page.links), ("checkpoint", page.checkpoints)):
                for message in messages:
                    document = MessageToDict(message, preserving_proto_field_name=True)
                    print(json.dumps({kind: document}, ensure_ascii=False), file=lines)
            count += len(page.links)
    return count


def verify_file(file: Path, public_key: str | None, pinned: Mapping[str, str]) -> int:
    """Walks an exported chain without asking anybody; 0 when it is whole.

    `public_key` is the service's as known from elsewhere, by default the one `pinned` at set-up. Without
    either only the file's own can be tried: anybody can sign with a key they made, so that the answer is
    UNPINNED then.
    """
    lines = [json.loads(line) for line in file.read_text("utf-8").splitlines()]
    service = lines[0]["service"]
    checkpoints = [
        Checkpoint(**_whole(line["checkpoint"], Checkpoint)) for line in lines if "checkpoint" in line
    ]
    known = public_key or pinned.get(service)
    keys = {known} if known else {checkpoint.public_key for checkpoint in checkpoints}
    if len(keys) > 1:
        print(f"{service}: checkpoints of several keys")
        return BROKEN
    public = bytes.fromhex(keys.pop()) if keys else b""
    fault = first_fault(service, _links(lines), checkpoints, public)
    if fault:
        print(f"{service}: {fault.why} at {fault.position}")
        return BROKEN
    rows = sum("link" in line for line in lines)
    print(f"{service}: {rows} rows are whole, {len(checkpoints)} checkpoints signed by {public.hex() or '-'}")
    if known is None:
        print("unpinned: nobody vouches for this key; name the service's --public-key")
        return UNPINNED
    return HOLDS


def _links(lines: list[dict[str, dict[str, object]]]) -> Iterator[Link]:
    for line in lines:
        if "link" in line:
            yield _link(line["link"])


def _link(document: dict[str, object]) -> Link:
    entry = document["entry"]
    assert isinstance(entry, dict)
    position, hash = int(str(document["position"])), bytes.fromhex(str(document["hash"]))
    return Link(position, AuditEntry(**_whole(entry, AuditEntry)), hash)


def _whole(document: dict[str, object], kind: type[AuditEntry | Checkpoint]) -> dict[str, str]:
    """JSON leaves empty texts out."""
    return {field.name: str(document.get(field.name, "")) for field in fields(kind)}


def _officer(info: StackInfo) -> Session:
    gateway = Gateway(info.gateway_url, Path(info.ca_file))
    return gateway.password_account(info.admin_login, info.admin_password).session()
