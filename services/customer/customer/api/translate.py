"""Between the messages of crm.customer.v1 and the domain."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from google.api import field_behavior_pb2
from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.timestamp_pb2 import Timestamp

from crm.customer.v1 import customer_pb2 as pb
from crm.customer.v1 import customer_service_pb2 as rpc
from crm.type.v1 import money_pb2
from customer.domain.customer import COMPANY_SIZES, NOBODY, Company, ExternalId, Person, Profile
from kernel.pure.errors import CrmError, Invalid, Violation
from kernel.pure.ids import parse_id
from kernel.pure.money import Money
from kernel.rpc.masking import masked

_OUTPUT_ONLY = {"id", "etag"} | {
    field.name
    for field in pb.Customer.DESCRIPTOR.fields
    if field_behavior_pb2.OUTPUT_ONLY in field.GetOptions().Extensions[field_behavior_pb2.field_behavior]
}
_SIZES = {
    name: pb.CompanySize.Value(f"COMPANY_SIZE_{name.upper() or 'UNSPECIFIED'}") for name in COMPANY_SIZES
}
_SIZE_NAMES = {number: name for name, number in _SIZES.items()}


def profile(message: pb.Customer, at: str) -> Profile:
    """What a caller says of a customer. Raises Invalid naming fields below `at`."""
    which, within = message.WhichOneof("kind"), f"{at}." if at else ""
    if which is None:
        raise Invalid.of(
            Violation(f"{within}kind", "REQUIRED", "must be a person or a company", "必须是个人或企业")
        )
    return Profile(
        details=_person(message.person) if which == "person" else _company(message.company),
        external_ids=tuple(ExternalId(e.source, e.value) for e in message.external_ids),
        owner_id=parse_id(message.owner_id, f"{within}owner_id") if message.owner_id else None,
        source_channel=message.source_channel,
        industry=message.industry,
        province=message.province,
        city=message.city,
        tags=tuple(message.tags),
        collaborator_ids=tuple(
            parse_id(text, f"{within}collaborator_ids[{index}]")
            for index, text in enumerate(message.collaborator_ids)
        ),
    )


def profile_or_error(message: pb.Customer, at: str) -> Profile | CrmError:
    try:
        return profile(message, at)
    except CrmError as error:
        return error


def change(message: pb.Customer, mask: FieldMask) -> Callable[[Profile], Profile]:
    """The change of a profile that an update asks for: the fields of the mask, or all that are set.

    Raises Invalid for a mask that names an unknown field or one that can't be set.
    """
    if not mask.paths:
        mask = FieldMask(
            paths=[field.name for field, _ in message.ListFields() if field.name not in _OUTPUT_ONLY]
        )
    for index, path in enumerate(mask.paths):
        if path.split(".")[0] in _OUTPUT_ONLY or not _known(path):
            raise Invalid.of(
                Violation(
                    f"update_mask.paths[{index}]",
                    "UNKNOWN_FIELD",
                    "must name a field of a customer that can be set",
                    "必须是客户可修改的字段",
                )
            )

    def changed(before: Profile) -> Profile:
        merged = _message(before)
        kind = message.WhichOneof("kind")
        if kind is not None and kind != before.kind:
            raise Invalid.of(
                Violation(
                    "customer.kind", "KIND_FIXED", "a person can't become a company", "个人与企业不能互换"
                )
            )
        mask.MergeMessage(message, merged, replace_message_field=True, replace_repeated_field=True)
        return profile(merged, "customer")

    return changed


def customer(row: Any, document: dict[str, Any] | None) -> pb.Customer:
    """A row of store.queries, masked unless it is to be shown clear.

    `document` is the opened personal one, None to leave it out.
    """
    message = pb.Customer(
        id=str(row.id),
        etag=str(row.version),
        owner_id="" if row.owner_id == NOBODY else str(row.owner_id),
        source_channel=row.source_channel,
        industry=row.industry,
        province=row.province,
        city=row.city,
        tags=row.tags,
        external_ids=[
            pb.ExternalId(source=source, value=value) for source, value in sorted(row.external_ids)
        ],
        classes=[_classification(entry) for entry in sorted(row.classes or ())],
        deal_status="won" if row.won else "",
        collaborator_ids=map(str, row.collaborator_ids),
        create_time=_instant(row.created_at),
        update_time=_instant(row.updated_at),
        delete_time=row.deleted_at and _instant(row.deleted_at),
        merged_into=str(row.survivor_id or ""),
    )
    if row.kind == "company":
        _fill_company(message.company, Company.of(row.company))
    else:
        message.person.SetInParent()
        if document is not None and not row.clear:
            document, names = masked(pb.Person, document)
            message.masked_fields.extend(f"person.{name}" for name in names)
        if document is not None:
            _fill_person(message.person, document)
    return message


def version(row: Any) -> rpc.CustomerVersion:
    """A row of queries.list_versions."""
    return rpc.CustomerVersion(
        version=row.version,
        actor_id=row.actor_id,
        create_time=row.at,
        action=row.action,
        changed_fields=row.changed_fields,
    )


def view(
    message: pb.Customer, purchases: Any, orders: Sequence[Any], deals: Sequence[Any], currency: str
) -> pb.CustomerView:
    """The 360° view."""
    average = purchases.total / purchases.order_count if purchases.order_count else Decimal(0)
    return pb.CustomerView(
        customer=message,
        purchases=pb.Purchases(
            order_count=purchases.order_count,
            total=money(purchases.total, currency),
            year_order_count=purchases.year_order_count,
            year_total=money(purchases.year_total, currency),
            average_order=money(average, currency),
            first_order_on=_day(purchases.first_on),
            last_order_on=_day(purchases.last_on),
        ),
        recent_orders=[
            pb.OrderFact(
                order_id=str(order.order_id),
                ordered_on=_day(order.ordered_on),
                base_amount=money(order.base_amount, currency),
                status=order.status,
            )
            for order in orders
        ],
        deals=[
            pb.Deal(
                opportunity_id=str(deal.opportunity_id),
                contract_id=str(deal.contract_id),
                contract_status=deal.contract_status,
                amount=money(deal.amount, deal.currency),
                win_time=deal.won_at,
            )
            for deal in deals
        ],
    )


def _known(path: str) -> bool:
    descriptor: Any = pb.Customer.DESCRIPTOR
    return FieldMask(paths=[path]).IsValidForDescriptor(descriptor)


def money(amount: Decimal, currency: str) -> money_pb2.Money:
    rounded = Money.rounded(amount, currency)
    return money_pb2.Money(amount=str(rounded.amount), currency_code=rounded.currency)


def _message(known: Profile) -> pb.Customer:
    message = pb.Customer(
        external_ids=[pb.ExternalId(source=e.source, value=e.value) for e in known.external_ids],
        owner_id=str(known.owner_id or ""),
        source_channel=known.source_channel,
        industry=known.industry,
        province=known.province,
        city=known.city,
        tags=known.tags,
        collaborator_ids=map(str, known.collaborator_ids),
    )
    if isinstance(known.details, Company):
        _fill_company(message.company, known.details)
    else:
        _fill_person(message.person, known.details.document())
    return message


def _person(message: pb.Person) -> Person:
    return Person(
        full_name=message.full_name,
        phones=tuple(message.phones),
        emails=tuple(message.emails),
        street_address=message.street_address,
        birth_date=message.birth_date,
        identity_number=message.identity_number,
    )


def _fill_person(message: pb.Person, document: dict[str, Any]) -> None:
    message.MergeFrom(pb.Person(**document))


def _company(message: pb.Company) -> Company:
    return Company(
        name=message.name,
        credit_code=message.credit_code,
        phones=tuple(message.phones),
        emails=tuple(message.emails),
        registered_address=message.registered_address,
        size=_SIZE_NAMES.get(message.size, ""),
    )


def _fill_company(message: pb.Company, company: Company) -> None:
    message.MergeFrom(pb.Company(**{**company.document(), "size": _SIZES[company.size]}))


def _classification(entry: Sequence[Any]) -> pb.Classification:
    scheme, version, class_, review_on, since = entry
    message = pb.Classification(
        scheme=scheme, scheme_version=version, review_on=review_on or "", **{"class": class_}
    )
    message.since.FromMicroseconds(round(float(since) * 1_000_000))
    return message


def _instant(at: datetime) -> Timestamp:
    """Given a datetime, protobuf takes ten times as long, three times a customer."""
    seconds = at.timestamp()
    return Timestamp(seconds=int(seconds), nanos=at.microsecond * 1000)


def _day(day: Any) -> str:
    return day.isoformat() if day else ""
