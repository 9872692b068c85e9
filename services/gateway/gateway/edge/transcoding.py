"""JSON in, gRPC behind."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

from google.protobuf.descriptor_pb2 import FileDescriptorSet

from gateway.edge.catalogue import PublicMethod, without_comments
from gateway.edge.files import Json, typed

_LARGEST_ANSWER = 8 << 20


class Transcoder:
    """Turns JSON calls into gRPC, and the answers back.

    What it knows of the protos stands in `file`, named by its content, so that a listener never meets
    descriptors of another release.
    """

    def __init__(self, files: FileDescriptorSet, methods: list[PublicMethod], directory: Path) -> None:
        self.content = without_comments(files).SerializeToString(deterministic=True)
        self.file = directory / f"descriptors-{sha256(self.content).hexdigest()[:12]}.binpb"
        self._services = sorted({method.service for method in methods})

    def http_filter(self) -> Json:
        return {
            "name": "envoy.filters.http.grpc_json_transcoder",
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
                max_response_body_size=_LARGEST_ANSWER,
            ),
        }
