"""Whether a PDF is the one that was signed, decided offline by the installation's own authority."""

from __future__ import annotations

from datetime import datetime
from io import BytesIO

from pyhanko.keys import load_certs_from_pemder_data
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.validation import validate_pdf_signature
from pyhanko_certvalidator import ValidationContext

from kernel.ops.logs import logger

log = logger(__name__)


def verify(data: bytes, authority: bytes, signed_at: datetime) -> str | None:
    """The common name of who signed; None unless the one signature is whole, covers the whole file, and its
    certificate was the authority's at the instant of signing. `authority` is PEM."""
    try:
        roots = list(load_certs_from_pemder_data(authority))
        context = ValidationContext(trust_roots=roots, allow_fetching=False, moment=signed_at)
        [signature] = PdfFileReader(BytesIO(data)).embedded_signatures
        status = validate_pdf_signature(signature, context)
        if not (status.bottom_line and status.intact and status.valid and status.trusted):
            return None
        return str(status.signing_cert.subject.native["common_name"])
    except Exception as error:
        # Whatever can't be read is not what was signed.
        log.warning("signature not valid", error=type(error).__name__)
        return None
