"""Rules as data: a condition in CEL over declared facts, read once and asked often.

The subset is that of kernel.pure.expression, so that a mistake is named with its place and every name
and comparison is checked before anything is evaluated. A property test holds the answers to those of a
CEL evaluator.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from kernel.pure.errors import Invalid, Violation
from kernel.pure.expression import Age, Both, Compare, Either, Literal, Name, Node, Not, parse

# What a fact can be; a list of texts is asked with `"x" in name`.
Kinds = Mapping[str, type[int] | type[str] | type[bool] | type[list[str]]]
_ORDERED = ("<", "<=", ">", ">=")


@dataclass(frozen=True)
class Condition:
    """A condition that was checked against the facts it may speak of."""

    text: str
    _tree: Node

    @classmethod
    def read(cls, text: str, kinds: Kinds, field: str = "condition") -> Condition:
        """Raises Invalid naming `field` and what is wrong: the place, an unknown fact, its kind."""
        tree = parse(text, field)
        _check(tree, kinds, field)
        return cls(text, tree)

    def holds(self, facts: Mapping[str, Any]) -> bool:
        """Whether it is true of `facts`, which hold every declared fact in its kind."""
        return _holds(self._tree, facts)


_OPERATORS: Mapping[str, Callable[[Any, Any], bool]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "in": lambda left, right: left in right,
    "startsWith": str.startswith,
}


def _holds(node: Node, facts: Mapping[str, Any]) -> bool:
    match node:
        case Both(operands):
            return all(_holds(operand, facts) for operand in operands)
        case Either(operands):
            return any(_holds(operand, facts) for operand in operands)
        case Not(operand):
            return not _holds(operand, facts)
        case Name():
            return bool(_value(node, facts))
        case Compare(compared, left, right):
            return _OPERATORS[compared](_value(left, facts), _value(right, facts))


def _value(node: Name | Age | Literal, facts: Mapping[str, Any]) -> Any:
    """Of a checked tree, which asks for no age."""
    return node.value if isinstance(node, Literal) else facts[".".join(node.path)]


def _check(node: Node, kinds: Kinds, field: str) -> None:
    match node:
        case Both(operands) | Either(operands):
            for operand in operands:
                _check(operand, kinds, field)
        case Not(operand):
            _check(operand, kinds, field)
        case Name():
            if _kind(node, kinds, field) is not bool:
                raise _wrong(field, node, "is no condition by itself", "本身不是条件")
        case Compare():
            _check_comparison(node, kinds, field)


def _check_comparison(node: Compare, kinds: Kinds, field: str) -> None:
    left, right = node.left, node.right
    if isinstance(left, Literal) and isinstance(right, Name):
        kind = _kind(right, kinds, field)
        if node.operator == "in":
            if kind != list[str] or type(left.value) is not str:
                raise _wrong(field, right, "is no list of texts", "不是文本列表")
            return
        left, right = right, left
    if not isinstance(left, Name) or not isinstance(right, Literal):
        en, zh = "must compare facts with constants", "只能将事实与常量比较"
        raise Invalid.of(Violation(field, "COMPARISON", en, zh))
    kind = _kind(left, kinds, field)
    if node.operator in _ORDERED and kind is not int:
        raise _wrong(field, left, "has no order", "不能比较大小")
    if (node.operator == "startsWith" and kind is not str) or kind == list[str]:
        raise _wrong(field, left, "is of another kind", "类型不符")
    if (node.operator == "in") is not isinstance(right.value, tuple):
        raise _wrong(field, left, "in must be followed by a list", "in 之后必须是列表")
    values = right.value if isinstance(right.value, tuple) else (right.value,)
    if any(type(value) is not kind for value in values):
        raise _wrong(field, left, "is compared with something of another kind", "与不同类型的值比较")


def _kind(name: Name, kinds: Kinds, field: str) -> object:
    kind = kinds.get(".".join(name.path))
    if kind is None:
        raise _wrong(field, name, "is no fact that is known", "不是已知的事实")
    return kind


def _wrong(field: str, name: Name, en: str, zh: str) -> Invalid:
    dotted = ".".join(name.path)
    return Invalid.of(Violation(field, "RULE_FACT", f"{dotted} {en}", f"{dotted} {zh}"))
