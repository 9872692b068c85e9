"""What the protos' authors wrote beside each message, field, method and value."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from google.protobuf.descriptor_pb2 import FileDescriptorProto, FileDescriptorSet

# Numbers of the fields of descriptor.proto that lead from a file to what stands in it, and their names.
_OF_FILE = {4: "message_type", 5: "enum_type", 6: "service"}
_OF_MESSAGE = {2: "field", 3: "nested_type", 4: "enum_type", 8: "oneof_decl"}
_OF_ENUM = {2: "value"}
_OF_SERVICE = {2: "method"}
_BELOW = {
    "message_type": _OF_MESSAGE,
    "nested_type": _OF_MESSAGE,
    "enum_type": _OF_ENUM,
    "service": _OF_SERVICE,
}


def comments(files: FileDescriptorSet) -> dict[str, str]:
    """The leading comments by full name: "crm.sales.v1.Order.status", of an enum's value too."""
    return {name: text for file in files.file for name, text in _of_file(file)}


def _of_file(file: FileDescriptorProto) -> Iterator[tuple[str, str]]:
    for location in file.source_code_info.location:
        text = _prose(location.leading_comments)
        name = _full_name(file, location.path) if text else ""
        if name:
            yield name, text


def _full_name(file: FileDescriptorProto, path: Sequence[int]) -> str:
    """The name of what a path leads to; empty when it leads to an option or a number."""
    if len(path) % 2 or not path:
        return ""
    names, here = [file.package], file
    ways: Mapping[int, str] = _OF_FILE
    for number, index in zip(path[::2], path[1::2], strict=True):
        way = ways.get(number)
        if way is None:
            return ""
        here = _entry(here, way, index)
        names.append(here.name)
        ways = _BELOW.get(way, {})
    return ".".join(names)


def _entry(parent: Any, way: str, index: int) -> Any:
    return getattr(parent, way)[index]


def _prose(comment: str) -> str:
    """Lines joined to paragraphs."""
    paragraphs = comment.strip().split("\n\n")
    return "\n\n".join(" ".join(line.strip() for line in paragraph.splitlines()) for paragraph in paragraphs)
