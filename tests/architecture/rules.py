"""Rules about single source files: each takes a syntax tree and yields (line, what is wrong)."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from tests.architecture.house import imports

Finding = tuple[int, str]

_LEVELS = {"debug", "info", "warning", "error", "exception", "critical", "log"}
_LOGGERS = {"log", "logger", "_log", "_logger", "LOG", "logging"}
# What carries a message or a person: never whole in a log line.
_BODIES = {
    *("request", "response", "message", "body", "payload", "envelope", "event", "answer", "arguments"),
    *("customer", "person", "order", "user", "item", "row", "record", "document", "metadata"),
}
_PERSONAL = {
    *("phone", "phones", "email", "emails", "full_name", "display_name"),
    *("password", "secret", "token", "credentials"),
}
_SQL = re.compile(r"\s*(select|insert|update|delete|with|create|alter|drop|grant|copy)\s", re.IGNORECASE)


def dotted(node: ast.expr) -> str:
    """`a.b.c` of an attribute chain; a call or subscript in it counts as its function or value."""
    if isinstance(node, ast.Attribute):
        return f"{dotted(node.value)}.{node.attr}"
    if isinstance(node, ast.Call):
        return dotted(node.func)
    return node.id if isinstance(node, ast.Name) else ""


def environment(source: ast.AST) -> Iterator[Finding]:
    """One list of what can be set: settings are read in one file and handed on."""
    for node in ast.walk(source):
        if isinstance(node, ast.Attribute) and dotted(node) in ("os.environ", "os.getenv", "os.environb"):
            yield node.lineno, f"reads {dotted(node)}"
    for line, imported in imports(source):
        if imported in ("os.environ", "os.getenv") or imported.startswith("pydantic_settings."):
            yield line, f"imports {imported}"


def commits(source: ast.AST) -> Iterator[Finding]:
    """The door commits once, so that inbox row, answer, timer and effect are one transaction."""
    for node in ast.walk(source):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            verb, owner = node.func.attr, dotted(node.func.value)
            engine = owner.rpartition(".")[2] in ("engine", "_engine")
            if verb in ("commit", "rollback") or (verb == "begin" and engine):
                yield node.lineno, f"calls {owner}.{verb}()"


def bodies_logged(source: ast.AST) -> Iterator[Finding]:
    """Log lines hold a constant event and ids, never a message or personal data."""
    for node in ast.walk(source):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
            continue
        owner = dotted(node.func.value).rpartition(".")[2]
        if node.func.attr not in _LEVELS or owner not in _LOGGERS:
            continue
        if not node.args or not (
            isinstance(node.args[0], ast.Constant) and isinstance(node.args[0].value, str)
        ):
            yield node.lineno, "the event of a log line is a constant string"
        if len(node.args) > 1:
            yield node.lineno, "facts of a log line are keyword arguments"
        for fact in node.keywords:
            value = fact.value
            if fact.arg is None:
                # A function that names the facts it gives is as good as writing them out.
                if not isinstance(value, ast.Call):
                    yield node.lineno, "logs everything of a mapping"
            elif fact.arg in _PERSONAL or dotted(value) in _BODIES | _PERSONAL:
                yield node.lineno, f"logs {fact.arg}={ast.unparse(value)}"


def stub_imports(source: ast.AST) -> Iterator[Finding]:
    """*_pb2_grpc imports grpc, which must not live beside eventlet."""
    for line, imported in imports(source):
        if "_pb2_grpc" in imported:
            yield line, f"imports {imported}"


def undeclared_metrics(source: ast.AST) -> Iterator[Finding]:
    """Each metric is declared once, with a sentence, in a catalogue an operator can read."""
    for line, imported in imports(source):
        if imported.startswith("prometheus_client.") and imported.rpartition(".")[2] in (
            "Counter", "Gauge", "Histogram", "Summary", "Info", "Enum",
        ):  # fmt: skip
            yield line, f"declares metrics: imports {imported}"


def spliced_sql(source: ast.AST) -> Iterator[Finding]:
    """SQL takes values as parameters; only constants (UPPER_CASE), a scope's predicate and a condition
    made of constants are spliced in."""
    predicates = {
        target.elts[0].id
        for node in ast.walk(source)
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call)
        if dotted(node.value.func).endswith("predicate")
        for target in node.targets
        if isinstance(target, ast.Tuple) and isinstance(target.elts[0], ast.Name)
    }
    for node in ast.walk(source):
        if not isinstance(node, ast.JoinedStr) or not node.values:
            continue
        first = node.values[0]
        if not (isinstance(first, ast.Constant) and _SQL.match(str(first.value))):
            continue
        for part in node.values:
            if isinstance(part, ast.FormattedValue):
                last = dotted(part.value).rpartition(".")[2]
                if last not in predicates | {"condition"} and (not last or last != last.upper()):
                    yield node.lineno, f"splices {ast.unparse(part.value)} into SQL"


def unfinished(source: ast.AST) -> Iterator[Finding]:
    """No toy versions: a function does its work, or it isn't there."""
    for node in ast.walk(source):
        if isinstance(node, ast.Raise) and node.exc is not None and dotted(node.exc) == "NotImplementedError":
            yield node.lineno, "raises NotImplementedError"
    protocols = {
        member
        for owner in ast.walk(source)
        if isinstance(owner, ast.ClassDef) and any(dotted(base) in _ABSTRACT for base in _bases(owner))
        for member in owner.body
    }
    for node in ast.walk(source):
        if isinstance(node, ast.FunctionDef) and node not in protocols and not node.decorator_list:
            if [type(line) for line in node.body] == [ast.Pass] or _is_ellipsis(node.body):
                yield node.lineno, f"{node.name} is empty"


_ABSTRACT = {"Protocol", "typing.Protocol", "ABC", "abc.ABC"}


def _bases(owner: ast.ClassDef) -> Iterator[ast.expr]:
    for base in owner.bases:
        yield base.value if isinstance(base, ast.Subscript) else base


def _is_ellipsis(body: list[ast.stmt]) -> bool:
    return len(body) == 1 and isinstance(body[0], ast.Expr) and (
        isinstance(body[0].value, ast.Constant) and body[0].value.value is ...
    )  # fmt: skip


_PROOFS = re.compile(
    r"(^|\.)_?(assert|check|expect|verify|eventually|refuse|raise|warns|fail|compare|same|poll|until)"
    r"|(^|\.)\w+_holds?$"
)


def emptied_tests(source: ast.AST) -> Iterator[Finding]:
    """A test that asserts nothing, or is skipped, says done where nothing was shown."""
    for node in ast.walk(source):
        if isinstance(node, ast.Attribute) and dotted(node).startswith("pytest."):
            if node.attr in ("skip", "skipif", "xfail", "importorskip"):
                yield node.lineno, f"uses {dotted(node)}"
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
            proofs = any(
                (isinstance(part, ast.Assert) and not isinstance(part.test, ast.Constant))
                or (isinstance(part, ast.Call) and _PROOFS.search(dotted(part.func)))
                for part in ast.walk(node)
            )
            if not proofs:
                yield node.lineno, f"{node.name} asserts nothing"
