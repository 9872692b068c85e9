"""Rules and filters as text: the subset of CEL that selects rows, read into a small tree.

    province == "上海" && (class.spend_tier in ["core", "important"] || "vip" in tags)

Operators: || && ! == != < <= > >= in, on dotted names, strings, integers, booleans, lists,
timestamp("…"), name.startsWith("…") and days_since(name). kernel.sql.filters compiles the tree to SQL.

What is read is read as CEL reads it, strings with their escapes too. In CEL ! binds closer than ==: before a
comparison it must stand with parentheses.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from kernel.pure.errors import Invalid, Violation

LONGEST = 2000
_DEEPEST = 24
_MOST_ITEMS = 200

Value = str | int | bool | datetime


@dataclass(frozen=True)
class Name:
    """An attribute: ("class", "spend_tier")."""

    path: tuple[str, ...]


@dataclass(frozen=True)
class Age:
    """The days from the day that an attribute holds to today: days_since(purchases.last_order_on)."""

    path: tuple[str, ...]


@dataclass(frozen=True)
class Literal:
    value: Value | tuple[Value, ...]


@dataclass(frozen=True)
class Compare:
    """`operator` is one of == != < <= > >= in startsWith."""

    operator: str
    left: Name | Age | Literal
    right: Name | Age | Literal


@dataclass(frozen=True)
class Not:
    operand: Node


@dataclass(frozen=True)
class Both:
    operands: tuple[Node, ...]


@dataclass(frozen=True)
class Either:
    operands: tuple[Node, ...]


Node = Name | Compare | Not | Both | Either


class _Token(NamedTuple):
    kind: str
    text: str
    at: int


_LEXEMES = re.compile(
    r"""(?P<space>\s+)
      | (?P<string>"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')
      | (?P<number>-?\d{1,18}(?![\w.]))
      | (?P<name>[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*)
      | (?P<operator>\|\||&&|==|!=|<=|>=|[<>!()\[\],])""",
    re.VERBOSE | re.ASCII,
)
_ESCAPE = re.compile(
    r"""\\(?:(?P<itself>[\\?"'`]) | (?P<control>[abfnrtv]) | (?P<octal>[0-3][0-7]{2})
          | (?:[xX](?P<two>[0-9A-Fa-f]{2}) | u(?P<four>[0-9A-Fa-f]{4}) | U(?P<eight>[0-9A-Fa-f]{8})))
      | \\""",
    re.VERBOSE,
)
_CONTROLS = dict(zip("abfnrtv", "\a\b\f\n\r\t\v", strict=True))
_COMPARISONS = ("==", "!=", "<", "<=", ">", ">=", "in")


def parse(text: str, field: str = "filter") -> Node:
    """The tree of an expression. Raises Invalid naming `field` and the place of the mistake."""
    if len(text) > LONGEST:
        raise _wrong(field, LONGEST, f"must have at most {LONGEST} characters", f"最多 {LONGEST} 个字符")
    parser = _Parser(list(_tokens(text, field)), len(text), field)
    node = parser.either()
    parser.end()
    return node


def _tokens(text: str, field: str) -> Iterator[_Token]:
    at = 0
    while at < len(text):
        match = _LEXEMES.match(text, at)
        if match is None:
            raise _wrong(field, at)
        kind = str(match.lastgroup)
        if kind != "space":
            yield _Token(kind, match[0], at)
        at = match.end()


class _Parser:
    """Reads tokens from left to right; each method reads one level of precedence."""

    def __init__(self, tokens: list[_Token], length: int, field: str) -> None:
        self._tokens = [*tokens, _Token("end", "", length)]
        self._place = 0
        self._depth = 0
        self._field = field

    def either(self) -> Node:
        operands = [self._both()]
        while self._took("||"):
            operands.append(self._both())
        return operands[0] if len(operands) == 1 else Either(tuple(operands))

    def end(self) -> None:
        if self._next.kind != "end":
            raise self._mistake()

    def _both(self) -> Node:
        operands = [self._unary()]
        while self._took("&&"):
            operands.append(self._unary())
        return operands[0] if len(operands) == 1 else Both(tuple(operands))

    def _unary(self) -> Node:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise self._mistake()
        try:
            if self._took("!"):
                return Not(self._negated())
            if self._took("("):
                inner = self.either()
                self._take(")")
                return inner
            return self._comparison()
        finally:
            self._depth -= 1

    def _negated(self) -> Node:
        """What stands behind a !: a comparison only in parentheses, as CEL would take its left side alone."""
        token = self._next
        operand = self._unary()
        if isinstance(operand, Compare) and operand.operator != "startsWith" and token.text != "(":
            en, zh = "a comparison after ! needs parentheses", "! 之后的比较必须加括号"
            raise _wrong(self._field, token.at, en, zh)
        return operand

    def _comparison(self) -> Node:
        left = self._operand()
        operator = self._next.text
        if isinstance(left, Compare):
            return left
        if operator in _COMPARISONS and self._next.kind in ("operator", "name"):
            self._place += 1
            right = self._operand()
            if isinstance(right, Compare):
                raise self._mistake()
            return Compare(operator, left, right)
        if isinstance(left, Name):
            return left
        raise self._mistake()

    def _operand(self) -> Name | Age | Literal | Compare:
        token = self._next
        if token.text == "[":
            return self._list()
        if token.kind != "name" or token.text in ("true", "false"):
            return Literal(self._value())
        if token.text == "timestamp":
            return Literal(self._value())
        self._place += 1
        path = tuple(token.text.split("."))
        if path == ("days_since",) and self._took("("):
            return self._age()
        if path[-1] == "startsWith" and len(path) > 1 and self._took("("):
            prefix = Literal(self._value())
            self._take(")")
            return Compare("startsWith", Name(path[:-1]), prefix)
        return Name(path)

    def _age(self) -> Age:
        token = self._next
        if token.kind != "name":
            raise self._mistake()
        self._place += 1
        self._take(")")
        return Age(tuple(token.text.split(".")))

    def _list(self) -> Literal:
        self._take("[")
        values: list[Value] = []
        while not self._took("]"):
            if values:
                self._take(",")
            values.append(self._value())
            if len(values) > _MOST_ITEMS:
                raise self._mistake()
        return Literal(tuple(values))

    def _value(self) -> Value:
        token = self._next
        self._place += 1
        if token.kind == "number":
            return int(token.text)
        if token.kind == "string":
            return self._string(token)
        if token.text in ("true", "false"):
            return token.text == "true"
        if token.text == "timestamp":
            self._take("(")
            inner = self._next
            self._place += 1
            if inner.kind == "string":
                instant = self._instant(inner)
                self._take(")")
                return instant
        self._place -= 1
        raise self._mistake()

    def _string(self, token: _Token) -> str:
        try:
            value = _ESCAPE.sub(_unescaped, token.text[1:-1])
            # Half of a surrogate pair is no character.
            value.encode()
        except (ValueError, OverflowError):
            raise _wrong(self._field, token.at) from None
        if "\x00" in value:
            raise _wrong(self._field, token.at)
        return value

    def _instant(self, token: _Token) -> datetime:
        try:
            instant = datetime.fromisoformat(self._string(token))
        except ValueError:
            raise _wrong(self._field, token.at) from None
        if instant.tzinfo is None:
            raise _wrong(self._field, token.at)
        return instant

    @property
    def _next(self) -> _Token:
        return self._tokens[self._place]

    def _took(self, text: str) -> bool:
        if self._next.kind == "operator" and self._next.text == text:
            self._place += 1
            return True
        return False

    def _take(self, text: str) -> None:
        if not self._took(text):
            raise self._mistake()

    def _mistake(self) -> Invalid:
        return _wrong(self._field, self._next.at)


def _unescaped(match: re.Match[str]) -> str:
    """The character that an escape stands for. Raises ValueError."""
    if match["itself"]:
        return match["itself"]
    if match["control"]:
        return _CONTROLS[match["control"]]
    if match["octal"]:
        return chr(int(match["octal"], 8))
    digits = match["two"] or match["four"] or match["eight"]
    if digits is None:
        raise ValueError("no escape")
    return chr(int(digits, 16))


def _wrong(field: str, at: int, en: str = "", zh: str = "") -> Invalid:
    en = en or f"can't be read at character {at + 1}"
    zh = zh or f"第 {at + 1} 个字符处无法解析"
    return Invalid.of(Violation(field, "EXPRESSION_SYNTAX", en, zh))
