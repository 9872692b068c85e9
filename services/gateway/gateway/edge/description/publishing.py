"""The documents that the front door hands out, as files that Envoy reads."""

from __future__ import annotations

import gzip
import json
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from importlib import resources
from pathlib import Path

from google.protobuf.descriptor_pb2 import FileDescriptorSet

from gateway.edge.catalogue import PublicMethod, without_comments
from gateway.edge.description.asyncapi import asyncapi
from gateway.edge.description.contracts import Contracts
from gateway.edge.description.openapi import openapi
from gateway.edge.files import Json, write_bytes
from gateway.edge.settings import EdgeSettings

_JSON = "application/json"


@dataclass(frozen=True)
class Document:
    """`content` is what `path` answers."""

    path: str
    content: bytes
    headers: dict[str, str]

    def file(self, directory: Path, packed: bool) -> Path:
        """Named by its content, so that a route never meets the document of another release."""
        name = f"{self.path.strip('/').replace('.', '-')}-{sha256(self.content).hexdigest()[:12]}"
        return directory / "published" / f"{name}{'.gz' if packed else ''}"

    def write(self, directory: Path) -> list[Path]:
        """Plain, and packed once for all who can unpack it."""
        plain, packed = self.file(directory, packed=False), self.file(directory, packed=True)
        plain.parent.mkdir(exist_ok=True)
        write_bytes(plain, self.content)
        write_bytes(packed, gzip.compress(self.content, mtime=0))
        return [plain, packed]


def documents(
    files: FileDescriptorSet, methods: Sequence[PublicMethod], settings: EdgeSettings
) -> list[Document]:
    """OpenAPI, AsyncAPI, the descriptors for gRPC tools, and the page."""
    contracts = Contracts(files)
    described = without_comments(files).SerializeToString(deterministic=True)
    return [
        Document("/openapi.json", _json(openapi(contracts, methods, settings)), {"content-type": _JSON}),
        Document("/asyncapi.json", _json(asyncapi(contracts)), {"content-type": _JSON}),
        Document("/descriptors.binpb", described, {"content-type": "application/x-protobuf"}),
        _page(),
    ]


def _json(content: Json) -> bytes:
    return json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()


def _page() -> Document:
    """One file: nothing is loaded from elsewhere, and nothing but its own script runs."""
    folder = resources.files("gateway.edge.description").joinpath("page")
    page, style, script = (
        folder.joinpath(f"page.{kind}").read_text("utf-8") for kind in ("html", "css", "js")
    )
    policy = (
        f"default-src 'none'; style-src '{_digest(style)}'; script-src '{_digest(script)}'; "
        "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
    return Document(
        "/docs",
        page.replace("/*style*/", style).replace("/*script*/", script).encode(),
        {
            "content-type": "text/html; charset=utf-8",
            "content-security-policy": policy,
            "referrer-policy": "no-referrer",
        },
    )


def _digest(text: str) -> str:
    return f"sha256-{b64encode(sha256(text.encode()).digest()).decode()}"
