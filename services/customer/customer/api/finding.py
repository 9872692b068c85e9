"""CustomerService: lists, counts and searches."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from crm.customer.v1 import customer_pb2 as pb
from crm.customer.v1 import customer_service_pb2 as rpc
from customer.api.showing import Showing
from customer.domain.errors import SchemeNotFound
from customer.store import finding, queries
from customer.store.finding import Question
from kernel.pure.contact import normalize_email, normalize_phone
from kernel.pure.errors import Invalid, Violation
from kernel.pure.paging import page_size
from kernel.pure.text.tokens import query_tokens
from kernel.rpc.call import Call

_LONGEST_SEARCH = 200


class Finding(Showing):
    def list_customers(self, request: rpc.ListCustomersRequest, call: Call) -> rpc.ListCustomersResponse:
        question = finding.listing(request.filter, request.order_by, request.show_deleted)
        query = (
            "ListCustomers", call.principal.id, request.fields, request.filter, request.order_by,
            request.show_deleted,
        )  # fmt: skip
        impersonal = request.fields == rpc.CUSTOMER_FIELDS_IMPERSONAL
        customers, token = self._page(question, query, request, call, impersonal)
        return rpc.ListCustomersResponse(customers=customers, next_page_token=token)

    def search_customers(
        self, request: rpc.SearchCustomersRequest, call: Call
    ) -> rpc.SearchCustomersResponse:
        query = ("SearchCustomers", call.principal.id, request.text, request.filter)
        customers, token = self._page(self._question(request), query, request, call)
        return rpc.SearchCustomersResponse(customers=customers, next_page_token=token)

    def count_customers(self, request: rpc.CountCustomersRequest, call: Call) -> rpc.CountCustomersResponse:
        question = finding.listing(request.filter, "", False)
        return rpc.CountCustomersResponse(customers=finding.count(self._app.reader, call.principal, question))

    def count_classes(self, request: rpc.CountClassesRequest, call: Call) -> rpc.CountClassesResponse:
        if request.scheme not in {row.id for row in queries.list_schemes(self._app.reader)}:
            raise SchemeNotFound(id=request.scheme)
        rows = finding.count_classes(self._app.reader, call.principal, request.scheme)
        return rpc.CountClassesResponse(
            counts=[
                pb.ClassCount(**{"class": row.class_, "customers": row.customers})
                for row in rows
                if row.class_
            ],
            unclassified=sum(row.customers for row in rows if not row.class_),
        )

    def _question(self, request: rpc.SearchCustomersRequest) -> Question:
        """What a search text asks for: an e-mail address, a phone number, else a name."""
        text = request.text.strip()
        if not text or len(text) > _LONGEST_SEARCH:
            raise _refused(
                f"must have 1 to {_LONGEST_SEARCH} characters", f"必须有 1 到 {_LONGEST_SEARCH} 个字符"
            )
        key = contact_key(text)
        if key:
            return finding.keyed(self._app.indexer.key_question(key), request.filter)
        tokens = query_tokens(text)
        if not tokens:
            raise _refused("must hold a letter or a digit", "必须包含文字或数字")
        return finding.named(self._app.indexer.name_question(tokens), request.filter)

    def _page(
        self,
        question: Question,
        query: Sequence[object],
        request: Any,
        call: Call,
        impersonal: bool = False,
    ) -> tuple[list[pb.Customer], str]:
        """One page and the token of the next; `request` has page_size and page_token."""
        cursor = self._app.page_tokens.open(query, request.page_token)
        size = page_size(request.page_size)
        rows, following = finding.page(self._app.reader, call.principal, question, cursor, size)
        if not impersonal:
            call.viewed("customer", [row.id for row in rows])
        token = self._app.page_tokens.seal(query, following) if following else ""
        return self._all_shown(self._app.reader, rows, impersonal), token


def contact_key(text: str) -> str:
    """The match key of an e-mail address or a phone number; empty for anything else."""
    try:
        if "@" in text:
            return f"email:{normalize_email(text)}"
        return f"phone:{normalize_phone(text)}"
    except ValueError:
        return ""


def _refused(en: str, zh: str) -> Invalid:
    return Invalid.of(Violation("text", "SEARCH_TEXT", en, zh))
