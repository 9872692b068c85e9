"""crm.sales.v1.ContractService"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from crm.sales.v1 import contract_service_pb2 as rpc
from kernel.pure.errors import Checks
from kernel.pure.ids import parse_id
from kernel.pure.paging import page_size
from kernel.rpc.call import Call
from sales.api import opportunity_translate as translate
from sales.api.signatures import verify
from sales.domain.errors import ContractNotFound, ContractNotSigned
from sales.store import contract_queries as queries
from sales.store import document_queries
from sales.usecases import keep_contracts
from sales.wiring import SalesApp


class ContractServicer:
    def __init__(self, app: SalesApp) -> None:
        self._app = app

    def create_contract_template(
        self, request: rpc.CreateContractTemplateRequest, call: Call
    ) -> rpc.ContractTemplate:
        template = keep_contracts.create_template(call.work, translate.template_draft(request.template))
        return translate.template_message(template)

    def list_contract_templates(
        self, request: rpc.ListContractTemplatesRequest, call: Call
    ) -> rpc.ListContractTemplatesResponse:
        rows = queries.list_templates(self._app.reader)
        return rpc.ListContractTemplatesResponse(templates=[translate.template_message(row) for row in rows])

    def get_contract(self, request: rpc.GetContractRequest, call: Call) -> rpc.Contract:
        row = self._row(call, request.id)
        call.viewed("contract", [row.id])
        return translate.contract_message(row)

    def list_contracts(self, request: rpc.ListContractsRequest, call: Call) -> rpc.ListContractsResponse:
        query = ("ListContracts", call.principal.id, request.filter)
        cursor = self._app.page_tokens.open(query, request.page_token)
        after, size = UUID(cursor[0]) if cursor else None, page_size(request.page_size)
        # One more than a page holds tells whether another page follows.
        rows = queries.list_contracts(self._app.reader, call.principal, request.filter, after, size + 1)
        page = rows[:size]
        call.viewed("contract", [row.id for row in page])
        token = self._app.page_tokens.seal(query, [str(page[-1].id)]) if len(rows) > size else ""
        return rpc.ListContractsResponse(
            contracts=[translate.contract_message(row) for row in page], next_page_token=token
        )

    def download_contract(
        self, request: rpc.DownloadContractRequest, call: Call
    ) -> rpc.DownloadContractResponse:
        row = self._signed(call, request.id, queries.DOWNLOAD_CONTRACTS)
        # Also of one who was erased: what the law has us keep is not for use.
        queries.refuse_kept(self._app.reader, row.customer_id)
        if request.offset < 0 or request.offset % document_queries.CHUNK or request.offset >= row.size:
            checks = Checks()
            en, zh = "must be a multiple of 1 MiB below the size", "必须是小于文件大小的 1 MiB 的倍数"
            checks.refuse("offset", "OFFSET", en, zh)
            checks.raise_if_any()
        number = request.offset // document_queries.CHUNK
        data = document_queries.piece(self._app.reader, self._app.seals.of_documents, row.document_id, number)
        if data is None:
            raise ContractNotFound
        call.open_work.audit("download", "contract", row.id, offset=request.offset)
        return rpc.DownloadContractResponse(data=data, size=row.size)

    def verify_contract(self, request: rpc.VerifyContractRequest, call: Call) -> rpc.VerifyContractResponse:
        row = self._signed(call, request.id, queries.READ_CONTRACTS)
        data = document_queries.whole(self._app.reader, self._app.seals.of_documents, row.document_id)
        if data is None or self._app.settings.tls_ca is None:
            return rpc.VerifyContractResponse(valid=False)
        signer = verify(data, self._app.settings.tls_ca.read_bytes(), row.signed_at)
        call.open_work.audit("verify", "contract", row.id, valid=signer is not None)
        return rpc.VerifyContractResponse(
            valid=signer is not None, signer=signer or "", sign_time=row.signed_at
        )

    def renew_contract(self, request: rpc.RenewContractRequest, call: Call) -> rpc.Contract:
        contract_id = parse_id(request.id, "id")
        return self._answer(call, keep_contracts.renew_contract(call.work, contract_id, request.ends_on).id)

    def cancel_contract(self, request: rpc.CancelContractRequest, call: Call) -> rpc.Contract:
        return self._answer(call, keep_contracts.cancel_contract(call.work, parse_id(request.id, "id")).id)

    def _row(self, call: Call, text: str, permission: str = queries.READ_CONTRACTS) -> Any:
        contract_id = parse_id(text, "id")
        row = queries.get_contract(self._app.reader, call.principal, contract_id, permission)
        if row is None:
            raise ContractNotFound
        return row

    def _signed(self, call: Call, text: str, permission: str) -> Any:
        row = self._row(call, text, permission)
        if row.document_id is None:
            raise ContractNotSigned
        return row

    def _answer(self, call: Call, contract_id: UUID) -> rpc.Contract:
        """The contract after a command; one that is out of reach to read is told by its id only."""
        row = queries.get_contract(call.open_work.reader, call.principal, contract_id)
        return translate.contract_message(row) if row else rpc.Contract(id=str(contract_id))
