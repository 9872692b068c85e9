"""`crm audit`: whether the audit rows of all services are what was signed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

from google.protobuf.json_format import MessageToDict
from rich.table import Table

from crm.privacy.v1.audit_service_pb2 import GetAuditVerdictsRequest, ListAuditLinksRequest
from crm_cli.client import Gateway, Session
from crm_cli.local.report import make_console
from crm_cli.local.stack import StackInfo
from kernel.pure.audit_chain import AuditEntry, Checkpoint, Link, first_fault

# Seconds a walk over all chains may take.
_PATIENCE = 300.0


def verify(info: StackInfo) -> int:
    """Lets the privacy service walk every chain, and shows its verdicts; 0 when all are whole."""
    session = _officer(info)
    answer = session.call(session.audit.GetAuditVerdicts, GetAuditVerdictsRequest(), deadline=_PATIENCE)
    table = Table(box=None, pad_edge=False)
    for column in ("service", "rows", "signed up to", "verdict"):
        table.add_column(column)
    for verdict in answer.verdicts:
        said = f"{verdict.fault} at {verdict.fault_position}" if verdict.fault else "whole"
        table.add_row(verdict.service, verdict.entries, verdict.signed_position, said)
    make_console().print(table if answer.verdicts else "nothing was audited yet")
    return 1 if any(verdict.fault for verdict in answer.verdicts) else 0


def export(info: StackInfo, service: str, file: Path) -> int:
    """Writes a service's chain as JSON lines: its name, then rows and checkpoints; how many rows."""
    session = _officer(info)
    count, token = 0, ""
    with file.open("w", encoding="utf-8") as lines:
        print(json.dumps({"service": service}), file=lines)
        while True:
            request = ListAuditLinksRequest(service=service, page_size=200, page_token=token)
            page = session.call(session.audit.ListAuditLinks, request)
            for kind, messages in (("link", page.links), ("checkpoint", page.checkpoints)):
                for message in messages:
                    document = MessageToDict(message, preserving_proto_field_name=True)
                    print(json.dumps({kind: document}, ensure_ascii=False), file=lines)
            count += len(page.links)
            token = page.next_page_token
            if not token:
                return count


def verify_file(file: Path, public_key: str | None) -> int:
    """Walks an exported chain without asking anybody; 0 when it is whole.

    `public_key` is the service's as known from elsewhere; without it the file's own is believed.
    """
    lines = [json.loads(line) for line in file.read_text("utf-8").splitlines()]
    service = lines[0]["service"]
    checkpoints = [
        Checkpoint(**_whole(line["checkpoint"], Checkpoint)) for line in lines if "checkpoint" in line
    ]
    keys = {public_key} if public_key else {checkpoint.public_key for checkpoint in checkpoints}
    if len(keys) > 1:
        print(f"{service}: checkpoints of several keys")
        return 1
    public = bytes.fromhex(keys.pop()) if keys else b""
    fault = first_fault(service, _links(lines), checkpoints, public)
    if fault:
        print(f"{service}: {fault.why} at {fault.position}")
        return 1
    rows = sum("link" in line for line in lines)
    print(f"{service}: {rows} rows are whole, {len(checkpoints)} checkpoints signed by {public.hex() or '-'}")
    return 0


def _links(lines: list[dict[str, dict[str, object]]]) -> Iterator[Link]:
    for line in lines:
        if "link" in line:
            link: dict[str, object] = line["link"]
            entry = link["entry"]
            assert isinstance(entry, dict)
            position, hash = int(str(link["position"])), bytes.fromhex(str(link["hash"]))
            yield Link(position, AuditEntry(**_whole(entry, AuditEntry)), hash)


def _whole(document: dict[str, object], kind: type[AuditEntry | Checkpoint]) -> dict[str, str]:
    """JSON leaves empty texts out."""
    return {field.name: str(document.get(field.name, "")) for field in fields(kind)}


def _officer(info: StackInfo) -> Session:
    gateway = Gateway(info.gateway_url, Path(info.ca_file))
    return gateway.password_account(info.admin_login, info.admin_password).session()
