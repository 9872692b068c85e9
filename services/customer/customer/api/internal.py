"""What other services of the installation ask: to whom something belongs, and how to reach them."""

from __future__ import annotations

from dataclasses import asdict
from typing import cast
from uuid import UUID

from crm.customer.v1 import audience_service_pb2 as audience_rpc
from crm.customer.v1 import contact_service_pb2 as contact_rpc
from crm.customer.v1 import customer_pb2 as pb
from crm.customer.v1 import intake_service_pb2 as intake_rpc
from crm.customer.v1 import subject_service_pb2 as subject_rpc
from customer.api import translate
from customer.api.finding import contact_key
from customer.domain.customer import NOBODY
from customer.domain.errors import CustomerNotFound, GroupNotFound, GroupNotReady
from customer.domain.groups import READY
from customer.store import contacts, group_queries
from customer.usecases.ports import Work
from customer.usecases.resolve_person import resolve_person
from customer.usecases.tell_contacts import tell_contacts
from customer.wiring import CustomerApp
from kernel.pure.errors import Invalid, Violation
from kernel.pure.ids import parse_id
from kernel.rpc.call import Call

_MOST_MEMBERS = 500


class IntakeServicer:
    def __init__(self, app: CustomerApp) -> None:
        self._app = app

    def resolve_person(
        self, request: intake_rpc.ResolvePersonRequest, call: Call
    ) -> intake_rpc.ResolvePersonResponse:
        told = pb.Customer(
            source_channel=request.source_channel,
            industry=request.industry,
            province=request.province,
            city=request.city,
            owner_id=request.owner_id,
        )
        which = request.WhichOneof("kind")
        if which is not None:
            getattr(told, which).CopyFrom(getattr(request, which))
        resolved = resolve_person(call.work, translate.profile(told, ""))
        return intake_rpc.ResolvePersonResponse(
            customer_id=str(resolved.customer_id),
            created=resolved.created,
            owner_id="" if resolved.owner_id == NOBODY else str(resolved.owner_id),
        )


class AudienceServicer:
    def __init__(self, app: CustomerApp) -> None:
        self._app = app

    def list_members(
        self, request: audience_rpc.ListMembersRequest, call: Call
    ) -> audience_rpc.ListMembersResponse:
        group_id = parse_id(request.group_id, "group_id")
        size = min(request.page_size, _MOST_MEMBERS) if request.page_size > 0 else _MOST_MEMBERS
        query = ("ListMembers", call.principal.id, group_id)
        cursor = self._app.page_tokens.open(query, request.page_token)
        after = UUID(cursor[0]) if cursor else None
        rows = group_queries.audience(self._app.reader, group_id, after, size + 1)
        if not rows:
            raise GroupNotFound(id=group_id)
        if rows[0].state != READY:
            raise GroupNotReady(id=group_id)
        ids = [str(row.customer_id) for row in rows[:size] if row.customer_id is not None]
        call.viewed("customer", ids)
        token = self._app.page_tokens.seal(query, [ids[-1]]) if len(rows) > size else ""
        return audience_rpc.ListMembersResponse(customer_ids=ids, next_page_token=token)


class ContactServicer:
    def __init__(self, app: CustomerApp) -> None:
        self._app = app

    def get_contacts(
        self, request: contact_rpc.GetContactsRequest, call: Call
    ) -> contact_rpc.GetContactsResponse:
        ids = [parse_id(text, f"customer_ids[{i}]") for i, text in enumerate(request.customer_ids)]
        # Contacts leave the service: that is noted for certain before, and not with the views.
        with self._app.work(call.principal) as work:
            tell_contacts(cast(Work, work), ids, request.purpose)
        found = contacts.contacts(self._app.reader, self._app.sealer, ids)
        return contact_rpc.GetContactsResponse(contacts=[_contact(contact) for contact in found])

    def find_by_address(
        self, request: contact_rpc.FindByAddressRequest, call: Call
    ) -> contact_rpc.FindByAddressResponse:
        which = request.WhichOneof("address")
        key = contact_key(getattr(request, which)) if which else ""
        if not key.startswith(f"{which}:"):
            raise Invalid.of(
                Violation(
                    which or "address",
                    "ADDRESS_FORMAT",
                    "must be an e-mail address or a phone number",
                    "必须是电子邮件地址或电话号码",
                )
            )
        found = contacts.having(self._app.reader, self._app.indexer.key_question(key))
        ids = [str(customer_id) for customer_id in found]
        call.work.audit("find_by_address", "customer", "", ids=ids)
        return contact_rpc.FindByAddressResponse(customer_ids=ids)


class SubjectServicer:
    def __init__(self, app: CustomerApp) -> None:
        self._app = app

    def resolve_subject(
        self, request: subject_rpc.ResolveSubjectRequest, call: Call
    ) -> subject_rpc.ResolveSubjectResponse:
        customer_id = parse_id(request.customer_id, "customer_id")
        group = contacts.group_of(call.work.reader, customer_id)
        if not group:
            raise CustomerNotFound(id=customer_id)
        call.work.audit("resolve_subject", "customer", group[0].survivor_id)
        return subject_rpc.ResolveSubjectResponse(
            subject_ids=[str(row.id) for row in group],
            survivor_id=str(group[0].survivor_id),
            kind=group[0].kind,
            emails=contacts.emails_of(call.work.reader, self._app.sealer, [row.id for row in group]),
        )


def _contact(contact: contacts.Contact) -> contact_rpc.Contact:
    told = asdict(contact)
    return contact_rpc.Contact(
        **{**told, "customer_id": str(contact.customer_id), "survivor_id": str(contact.survivor_id)}
    )
