"""JSON in, gRPC behind: one transcoder for each size of body."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

from google.api import annotations_pb2
from google.protobuf.descriptor_pb2 import FileDescriptorSet

from gateway.edge.catalogue import PublicMethod, is_batch
from gateway.edge.files import Json, typed

_MIB = 1 << 20
_LARGEST_ANSWER = 8 * _MIB


class Transcoder:
    """Turns JSON calls of some methods into gRPC, and the answers back.

    What it knows of the protos stands in `file`, named by its content, so that a listener never meets
    descriptors of another release.
    """

    def __init__(
        self, name: str, files: FileDescriptorSet, services: list[str], largest_body: int, directory: Path
    ) -> None:
        self.content = files.SerializeToString(deterministic=True)
        self.file = directory / f"{name}-{sha256(self.content).hexdigest()[:12]}.binpb"
        self._name = name
        self._services = services
        self._largest_body = largest_body

    def http_filter(self) -> Json:
        return {
            "name": f"crm.{self._name}",
            "typed_config": typed(
                "extensions.filters.http.grpc_json_transcoder.v3.GrpcJsonTranscoder",
                proto_descriptor=str(self.file),
                services=self._services,
                convert_grpc_status=True,  # errors become {code, message, details}
                print_options={
                    "always_print_primitive_fields": False,
                    "always_print_enums_as_ints": False,
                    "preserve_proto_field_names": False,
                    "stream_newline_delimited": True,
                },
                request_validation_options={
                    "reject_unknown_query_parameters": True,
                    "reject_binding_body_field_collisions": True,
                },
                query_param_unescape_plus=True,
                max_request_body_size=self._largest_body,
                max_response_body_size=_LARGEST_ANSWER,
            ),
        }


def transcoders(files: FileDescriptorSet, methods: list[PublicMethod], directory: Path) -> list[Transcoder]:
    """The transcoder of ordinary methods (1 MiB) and that of batch methods (4 MiB, as the servers take)."""
    services = sorted({method.service for method in methods})
    return [
        Transcoder("api", _only(files, lambda name: not is_batch(name)), services, _MIB, directory),
        Transcoder("batch-api", _only(files, is_batch), services, 4 * _MIB, directory),
    ]


def _only(files: FileDescriptorSet, wanted: Callable[[str], bool]) -> FileDescriptorSet:
    """A copy in which only the wanted methods have an address."""
    copy = FileDescriptorSet()
    copy.CopyFrom(files)
    for file in copy.file:
        for service in file.service:
            for method in service.method:
                if not wanted(method.name):
                    method.options.ClearExtension(annotations_pb2.http)
    return copy
