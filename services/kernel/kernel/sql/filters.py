"""Filters of lists: expressions over declared attributes, compiled to one SQL condition.

Held to a CEL evaluator by a property test. Attributes are never null in SQL, so that the logic has
two values as in CEL.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from kernel.pure.errors import Invalid, Violation
from kernel.pure.expression import Age, Both, Compare, Either, Literal, Name, Node, Not, Value, parse
from kernel.pure.ids import parse_id

_ORDERED = ("<", "<=", ">", ">=")
_SQL = {"==": "=", "!=": "<>", **{operator: operator for operator in _ORDERED}}
_CAST = {
    "uuid": "::uuid",
    "timestamp": "::timestamptz",
    "text": "::text",
    "int": "::bigint",
    "bool": "::boolean",
}
_TYPES: Mapping[str, type] = {"uuid": str, "text": str, "timestamp": datetime, "int": int, "bool": bool}


@dataclass(frozen=True)
class Attribute:
    """`sql` is a constant of the program that is never null; `kind` one of text, uuid, int, bool,
    timestamp, texts (a set of texts), day (only its age can be asked for). `day` is the date of another
    kind whose age can be asked for. `held` is for a text that a row of another table
    holds, empty without a row: the condition that such a row holds one of the texts put in place of {}.
    The database can begin with those rows. `read_as` says what a value stands for that is compared with
    the attribute, in place of {}."""

    sql: str
    kind: str
    day: str = ""
    held: str = ""
    read_as: str = "{}"


# Finds what stands behind a dotted name, or None.
Attributes = Callable[[tuple[str, ...]], Attribute | None]


def compile_filter(
    text: str,
    attributes: Attributes,
    field: str = "filter",
    *,
    today: date | None = None,
    prefix: str = "filter",
) -> tuple[str, dict[str, Any]]:
    """The condition and its parameters ("filter_0" …); "true" for an empty filter.

    Without `today`, the parameter "today", no age can be asked for. Raises Invalid for what can't be
    read, for unknown names and for comparisons of different kinds.
    """
    if not text.strip():
        return "true", {}
    compiler = _Compiler(attributes, field, today, prefix)
    return compiler.condition(parse(text, field)), compiler.parameters


class _Compiler:
    def __init__(self, attributes: Attributes, field: str, today: date | None, prefix: str) -> None:
        self._attributes = attributes
        self._field = field
        self._today = today
        self._prefix = prefix
        self.parameters: dict[str, Any] = {}

    def condition(self, node: Node) -> str:
        match node:
            case Both(operands):
                return "(" + " and ".join(self.condition(operand) for operand in operands) + ")"
            case Either(operands):
                return "(" + " or ".join(self.condition(operand) for operand in operands) + ")"
            case Not(operand):
                return f"(not {self.condition(operand)})"
            case Name():
                attribute = self._attribute(node)
                if attribute.kind != "bool":
                    raise self._refused(node, "is no condition by itself", "本身不是条件")
                return attribute.sql
            case Compare():
                return self._compare(node)

    def _compare(self, node: Compare) -> str:
        left, right = node.left, node.right
        if isinstance(left, Literal) and not isinstance(right, Literal):
            if node.operator == "in":
                return self._contains(right, left)
            # Constants on the left: the mirrored comparison.
            mirrored = node.operator.translate(str.maketrans("<>", "><"))
            return self._compare(Compare(mirrored, right, left))
        if isinstance(left, Literal) or not isinstance(right, Literal):
            raise self._invalid(
                "COMPARISON", "must compare attributes with constants", "只能将属性与常量比较"
            )
        attribute = self._attribute(left)
        if node.operator == "in":
            return self._one_of(left, attribute, right)
        if node.operator == "startsWith":
            if attribute.kind != "text":
                raise self._refused(left, "is no text", "不是文本")
            return f"starts_with({attribute.sql}, {self._parameter(left, attribute.kind, right.value)})"
        if attribute.kind == "texts":
            raise self._refused(left, 'is a list: ask "x" in it', "是列表，请使用 in")
        if node.operator in _ORDERED and attribute.kind not in ("int", "timestamp"):
            raise self._refused(left, "has no order", "不能比较大小")
        if node.operator == "==" and attribute.held:
            return self._any_of(left, attribute, (right.value,))
        value = self._value(left, attribute, right.value)
        return f"({attribute.sql} {_SQL[node.operator]} {value})"

    def _contains(self, name: Name | Age, value: Literal) -> str:
        attribute = self._attribute(name)
        if attribute.kind != "texts":
            raise self._refused(name, "is no list", "不是列表")
        return f"({attribute.sql} @> array[{self._parameter(name, 'text', value.value)}])"

    def _one_of(self, name: Name | Age, attribute: Attribute, values: Literal) -> str:
        if not isinstance(values.value, tuple):
            raise self._refused(name, "in must be followed by a list", "in 之后必须是列表")
        if not values.value:
            return "false"
        return self._any_of(name, attribute, values.value)

    def _any_of(self, name: Name | Age, attribute: Attribute, values: Sequence[Any]) -> str:
        items = ", ".join(self._value(name, attribute, value) for value in values)
        if attribute.held and all(values):
            return attribute.held.format(items)
        return f"({attribute.sql} in ({items}))"

    def _value(self, name: Name | Age, attribute: Attribute, value: Value | tuple[Value, ...]) -> str:
        return attribute.read_as.format(self._parameter(name, attribute.kind, value))

    def _parameter(self, name: Name | Age, kind: str, value: Value | tuple[Value, ...]) -> str:
        wanted = _TYPES.get(kind)
        if wanted is None or type(value) is not wanted:
            raise self._refused(name, "is compared with something of another kind", "与不同类型的值比较")
        key = f"{self._prefix}_{len(self.parameters)}"
        self.parameters[key] = parse_id(str(value), self._field) if kind == "uuid" else value
        return f"%({key})s{_CAST[kind]}"

    def _attribute(self, name: Name | Age) -> Attribute:
        attribute = self._attributes(name.path)
        if attribute is None:
            raise self._refused(name, "is no attribute that can be asked for", "不是可查询的属性")
        if not isinstance(name, Age):
            return attribute
        day = attribute.sql if attribute.kind == "day" else attribute.day
        if not day or self._today is None:
            raise self._refused(name, "has no age that can be asked for", "不能使用 days_since")
        self.parameters["today"] = self._today
        return Attribute(f"(%(today)s::date - {day})", "int")

    def _refused(self, name: Name | Age, en: str, zh: str) -> Invalid:
        dotted = ".".join(name.path)
        return self._invalid("FILTER_ATTRIBUTE", f"{dotted} {en}", f"{dotted} {zh}")

    def _invalid(self, rule: str, en: str, zh: str) -> Invalid:
        return Invalid.of(Violation(self._field, rule, en, zh))
