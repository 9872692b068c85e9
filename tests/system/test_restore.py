"""Backups from before an erasure are restored: what they bring back is erased again, and nothing remains."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import pytest

from crm.customer.v1 import timeline_service_pb2 as timeline_pb
from crm.customer.v1.customer_pb2 import Customer, Person
from crm.customer.v1.customer_service_pb2 import CreateCustomerRequest, GetCustomerRequest
from crm.privacy.v1 import erasure_service_pb2 as erasure_rpc
from crm.sales.v1 import lead_service_pb2 as lead_rpc
from crm.sales.v1.lead_pb2 import Lead, LeadFact
from crm_cli.client import Gateway, Refused, Session
from crm_cli.local import install
from crm_cli.local.stack import StackInfo
from tests.support.stack import private_stack
from tests.system.behind import Behind, until
from tests.system.test_tickets import open_ticket

# Whose databases are restored; privacy's holds the log of erasures.
RESTORED = ("customer", "sales", "ticketing", "marketing")
PARTS = ("api", "events", "jobs")
# What may hold words or doings of a person, by service.
HELD = {
    "customer": (
        "select from app.customers where id = %s and sealed is not null",
        "select from app.customer_versions where customer_id = %s",
        "select from app.interactions where customer_id = %s",
        "select from app.tickets where customer_id = %s",
        "select from app.match_keys where customer_id = %s",
    ),
    "sales": (
        "select from app.leads where customer_id = %s and sealed is not null",
        "select from app.lead_facts f join app.leads l on l.id = f.lead_id where l.customer_id = %s",
    ),
    "ticketing": (
        "select from app.tickets where customer_id = %s and sealed is not null",
        "select from app.messages m join app.tickets t on t.id = m.ticket_id"
        " where t.customer_id = %s and m.sealed is not null",
    ),
}


@pytest.fixture(scope="module")
def restored() -> Iterator[StackInfo]:
    """An installation of its own: audit chains of restored services end too early ever after."""
    with private_stack("test-restore") as info:
        yield info


@pytest.fixture(scope="module", autouse=True)
def all_well(restored: StackInfo) -> None:
    """No other installation is looked at here."""
    Behind(restored).await_well()


def test_what_was_erased_since_the_backup_is_erased_again(restored: StackInfo, tmp_path: Path) -> None:
    behind = Behind(restored)
    gateway = Gateway(restored.gateway_url, Path(restored.ca_file))
    admin = gateway.password_account(restored.admin_login, restored.admin_password).session()
    gone, stays = known(admin), known(admin)
    behind.await_silence()
    assert set(remains(behind, gone)) == set(remains(behind, stays)) == set(HELD)
    since = datetime.now(UTC)
    for service in RESTORED:
        postgres("pg_dump", "--format=custom", f"--file={tmp_path / service}", behind.url(service))
    erasure_id = erased(admin, gone)
    behind.await_silence()
    assert remains(behind, gone) == {}

    processes = [f"{service}.{part}" for service in RESTORED for part in PARTS]
    with behind.held(*processes, "ticketing.mail"):
        for service in RESTORED:
            options = ("--clean", "--if-exists", "--exit-on-error", "--single-transaction")
            postgres("pg_restore", *options, f"--dbname={behind.url(service)}", str(tmp_path / service))
    assert set(remains(behind, gone)) == set(HELD)
    assert tombstones(behind) == dict.fromkeys(RESTORED, 0)
    # Nobody reads it meanwhile: its keys are gone.
    assert person(admin, gone) == Person()

    for _ in range(2):
        assert reapply(restored, since) == (0, "1 erasures are applied again")
        assert state(admin, erasure_id) == erasure_rpc.ERASURE_STATE_CLOSED
        behind.await_silence()
        assert remains(behind, gone) == {}
        assert tombstones(behind) == dict.fromkeys(RESTORED, 1)
    assert set(remains(behind, stays)) == set(HELD)
    assert person(admin, stays) != Person()
    with pytest.raises(Refused):
        person(admin, gone)
    assert reapply(restored, datetime.now(UTC)) == (0, "0 erasures are applied again")


def known(admin: Session) -> str:
    """Id of a person of whom every service holds something."""
    told = Customer(person=Person(full_name="欧阳晓雨", emails=[f"{uuid4().hex}@example.com"]))
    request = CreateCustomerRequest(customer=told, request_id=str(uuid4()), allow_duplicate=True)
    customer_id = str(admin.call(admin.customers.CreateCustomer, request).id)
    said = timeline_pb.Interaction(kind=timeline_pb.INTERACTION_KIND_VISIT, content="想买紫色的沙发")
    admin.call(
        admin.timelines.RecordInteraction,
        timeline_pb.RecordInteractionRequest(customer_id=customer_id, interaction=said),
    )
    lead = Lead(customer_id=customer_id, source_channel="官网", requirement="二十套系统")
    made = admin.call(admin.leads.CreateLead, lead_rpc.CreateLeadRequest(lead=lead, request_id=str(uuid4())))
    facts = [LeadFact(kind="joined_demo", key=uuid4().hex, value=1)]
    admin.call(admin.leads.RecordLeadFacts, lead_rpc.RecordLeadFactsRequest(lead_id=made.id, facts=facts))
    open_ticket(admin, customer_id, "沙发坏了", "弹簧断了")
    return customer_id


def person(admin: Session, customer_id: str) -> Person:
    found: Person = admin.call(admin.customers.GetCustomer, GetCustomerRequest(id=customer_id)).person
    return found


def erased(admin: Session, customer_id: str) -> str:
    """The person asks for it, and it is done; answers the id of the request."""

    def requested() -> str:
        request = erasure_rpc.CreateErasureRequestRequest(subject_id=customer_id, request_id=str(uuid4()))
        try:
            return str(admin.call(admin.erasures.CreateErasureRequest, request).id)
        except Refused as refused:
            if refused.reason != "SUBJECT_UNKNOWN":
                raise
            return ""

    erasure_id: str = until("the person is known", requested)
    admin.call(
        admin.erasures.VerifyErasureRequest,
        erasure_rpc.VerifyErasureRequestRequest(id=erasure_id, evidence="T-1024", request_id=str(uuid4())),
    )
    until("the erasure is closed", lambda: state(admin, erasure_id) == erasure_rpc.ERASURE_STATE_CLOSED)
    return erasure_id


def state(admin: Session, erasure_id: str) -> int:
    request = erasure_rpc.GetErasureRequestRequest(id=erasure_id)
    return int(admin.call(admin.erasures.GetErasureRequest, request).state)


def remains(behind: Behind, customer_id: str) -> dict[str, int]:
    """In how many places each service holds something of a person; without those that hold nothing."""
    counted = {
        service: sum(bool(behind.rows(service, f"{query} limit 1", customer_id)) for query in queries)
        for service, queries in HELD.items()
    }
    return {service: places for service, places in counted.items() if places}


def tombstones(behind: Behind) -> dict[str, int]:
    query = "select count(*) from app.erased_subjects"
    return {service: behind.rows(service, query)[0][0] for service in RESTORED}


def reapply(info: StackInfo, since: datetime) -> tuple[int, str]:
    """What `crm erasures reapply` ends with, and its first line."""
    done = subprocess.run(
        [
            *(sys.executable, "-m", "crm_cli", "erasures", "reapply"),
            *("--since", since.isoformat(), "--stack", info.name, "--timeout", "180"),
        ],
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    return done.returncode, done.stdout.splitlines()[0] if done.stdout else done.stderr


def postgres(program: str, *arguments: str) -> None:
    """Runs a program that comes with the database."""
    folder = install.find(install.POSTGRES)
    assert folder is not None
    subprocess.run([str(folder / program), *arguments], check=True, capture_output=True, timeout=120)
