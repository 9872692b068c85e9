"""A contract as a PDF: set by typst in a CJK font, signed as PAdES by the installation's own certificate."""

from __future__ import annotations

import json
from importlib import resources
from io import BytesIO
from pathlib import Path
from typing import Any

import typst
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign import fields, signers

from sales.domain.contract import Contract, Template


class NotSettable(Exception):
    """The contract can't be set: a font is missing, or the template is wrong. The text names no person."""


def set_contract(
    contract: Contract, template: Template, enterprise: str, customer: str, fonts: Path
) -> bytes:
    """The PDF of a contract of the enterprise (乙方) with `customer` (甲方), unsigned. Raises NotSettable."""
    terms, total = contract.terms, contract.terms.total
    values = {
        **terms.variables,
        "number": contract.number,
        "customer": customer,
        "enterprise": enterprise,
        "starts_on": terms.starts_on.isoformat(),
        "ends_on": terms.ends_on.isoformat(),
        "total": f"{total.amount:f} {total.currency}",
    }
    words = {
        "title": template.title,
        "number": contract.number,
        "customer": customer,
        "enterprise": enterprise,
        "clauses": template.filled(values),
        "lines": [
            [line.product, f"{line.quantity:f}", f"{line.unit_price.amount:f}", f"{line.amount.amount:f}"]
            for line in terms.lines
        ],
        "currency": total.currency,
        "total": f"{total.amount:f}",
    }
    source = resources.files("sales.jobs").joinpath("contract.typ").read_bytes()
    try:
        compile_pdf: Any = typst.compile_with_warnings
        data, warnings = compile_pdf(
            source,
            font_paths=[str(fonts)],
            ignore_system_fonts=True,
            sys_inputs={"contract": json.dumps(words, ensure_ascii=False)},
        )
    except typst.TypstError as error:
        raise NotSettable(type(error).__name__) from None
    # A missing font is only warned of, and leaves Chinese blank.
    if warnings:
        raise NotSettable(f"{len(warnings)} warnings of typst: is the font there?")
    return bytes(data)


def sign_pdf(data: bytes, certificate: Path, key: Path, authority: Path) -> bytes:
    """The PDF with a PAdES signature over all of it. Raises NotSettable when a file can't be read."""
    load: Any = signers.SimpleSigner.load
    signer = load(str(key), str(certificate), ca_chain_files=(str(authority),))
    if signer is None:
        raise NotSettable("certificate or key can't be read")
    metadata = signers.PdfSignatureMetadata(
        field_name="Enterprise", subfilter=fields.SigSeedSubFilter.PADES, md_algorithm="sha256"
    )
    out = BytesIO()
    writer = IncrementalPdfFileWriter(BytesIO(data))
    signers.PdfSigner(metadata, signer=signer).sign_pdf(writer, output=out)
    return out.getvalue()
