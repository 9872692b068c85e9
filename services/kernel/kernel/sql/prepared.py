"""Statements on the driver itself: prepared, binary, many of them on one way to the database and back.

psycopg's cursors do the same for three times the processor time, and SQLAlchemy's for six times; on
the way of every call that is most of what the call costs. Waits are psycopg's own, so that green threads
stay green.
"""

from __future__ import annotations

from collections import OrderedDict, namedtuple
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from itertools import count
from typing import Any, NamedTuple

import psycopg
from psycopg import generators, waiting
from psycopg._preparing import PrepareManager
from psycopg._queries import _query2pg
from psycopg.adapt import PyFormat, Transformer
from psycopg.errors import error_from_result
from psycopg.pq import ExecStatus, Format, TransactionStatus

import kernel.sql.arrays  # noqa: F401  # lists are written its way

Params = Mapping[str, Any] | Sequence[Any]
Statement = tuple[str, Params]

_BEGIN = b"begin"
# Seconds between looks at signals while waiting, as psycopg's cursors look.
_LOOK = 0.1
# Filters make statements of many shapes: a connection keeps so many, those used last.
_MOST = 200
_FAILED = (ExecStatus.FATAL_ERROR, ExecStatus.PIPELINE_ABORTED)


class _Known(NamedTuple):
    """A statement as a connection has prepared it."""

    name: bytes
    row: Callable[[Sequence[Any]], Any]


class _SparesOurs(PrepareManager):
    """psycopg's own book of prepared statements. After a rollback it lets go of those that are in it;
    psycopg lets go of all, ours too, lest tables were made anew, which no service does."""

    def clear(self) -> bool:
        own = list(self._names.values())
        self._counts.clear()
        self._names.clear()
        self._to_flush.extend(own)
        return bool(own)


class _Session:
    """What is remembered of one connection."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        connection._prepared.__class__ = _SparesOurs
        self.transformer = Transformer(connection)
        self.known: OrderedDict[tuple[str, tuple[int, ...]], _Known] = OrderedDict()
        self.numbers = count()


def _session_of(connection: psycopg.Connection[Any]) -> _Session:
    """It lies with the connection, and goes with it."""
    session: _Session | None = vars(connection).get("crm_session")
    if session is None:
        session = vars(connection)["crm_session"] = _Session(connection)
    return session


def run(connection: psycopg.Connection[Any], *statements: Statement) -> list[list[Any]]:
    """The rows of each statement, as named tuples, in order; [] of one that answers none.

    Statements are constants of the program, with %(name)s or %s for values. Begins a transaction where
    psycopg's cursors would. Raises psycopg's errors; of several statements nothing after the first that
    failed was done.
    """
    session = _session_of(connection)
    pg = connection.pgconn
    begin = not connection.autocommit and pg.transaction_status == TransactionStatus.IDLE
    if len(statements) == 1 and not begin:
        known, values, formats = _bound(connection, session, *statements[0])
        pg.send_query_prepared(known.name, values, formats, Format.BINARY)
        return [_rows(connection, session, known, _wait(connection, generators.execute(pg))[0])]
    return _pipelined(connection, session, statements, begin)


def _pipelined(
    connection: psycopg.Connection[Any], session: _Session, statements: Sequence[Statement], begin: bool
) -> list[list[Any]]:
    pg = connection.pgconn
    bound = [_bound(connection, session, *statement) for statement in statements]
    pg.enter_pipeline_mode()
    try:
        if begin:
            pg.send_query_params(_BEGIN, None)
        for known, values, formats in bound:
            pg.send_query_prepared(known.name, values, formats, Format.BINARY)
        pg.pipeline_sync()
        _wait(connection, generators.send(pg))
        if begin:
            _checked(connection, _wait(connection, generators.fetch_many(pg))[0])
        results = [_wait(connection, generators.fetch_many(pg))[0] for _ in bound]
        _wait(connection, generators.fetch_many(pg))
    finally:
        if pg.status == psycopg.pq.ConnStatus.OK:
            pg.exit_pipeline_mode()
    return [
        _rows(connection, session, known, result)
        for (known, _, _), result in zip(bound, results, strict=True)
    ]


def _bound(
    connection: psycopg.Connection[Any], session: _Session, sql: str, params: Params
) -> tuple[_Known, Sequence[Any], Sequence[Format] | None]:
    """The statement, prepared, and its values as they are sent."""
    query, formats, order = _parsed(sql)
    values: Sequence[Any] = ()
    types: tuple[int, ...] = ()
    sent: Sequence[Format] | None = None
    if formats:
        given: Any = params if order is None else [params[name] for name in order]  # type: ignore[call-overload]
        values = session.transformer.dump_sequence(given, formats)
        types = session.transformer.types or ()
        sent = session.transformer.formats
    known = session.known.get((sql, types))
    if known is None:
        known = _prepare(connection, session, query, types)
        session.known[sql, types] = known
    else:
        session.known.move_to_end((sql, types))
    return known, values, sent


def _prepare(
    connection: psycopg.Connection[Any], session: _Session, query: bytes, types: Sequence[int]
) -> _Known:
    pg = connection.pgconn
    if len(session.known) >= _MOST:
        _, oldest = session.known.popitem(last=False)
        pg.send_query(b"deallocate " + oldest.name)
        _checked(connection, _wait(connection, generators.execute(pg))[0])
    name = b"crm_%d" % next(session.numbers)
    pg.send_prepare(name, query, types)
    _checked(connection, _wait(connection, generators.execute(pg))[0])
    pg.send_describe_prepared(name)
    described = _wait(connection, generators.execute(pg))[0]
    _checked(connection, described)
    columns = [described.fname(column) or b"" for column in range(described.nfields)]
    return _Known(name, _row_of(*(column.decode() for column in columns)))


@lru_cache
def _row_of(*columns: str) -> Callable[[Sequence[Any]], Any]:
    row: Any = namedtuple("Row", columns, rename=True)  # type: ignore[misc]
    make: Callable[[Sequence[Any]], Any] = row._make
    return make


@lru_cache(4096)
def _parsed(sql: str) -> tuple[bytes, list[PyFormat], Sequence[str] | None]:
    """The statement with $1 for %(name)s, the format of each value, and the names in order."""
    query, formats, order, _ = _query2pg(sql.encode(), "utf-8")
    return query, formats or [], order


def _rows(connection: psycopg.Connection[Any], session: _Session, known: _Known, result: Any) -> list[Any]:
    _checked(connection, result)
    if result.status != ExecStatus.TUPLES_OK:
        return []
    transformer = session.transformer
    transformer.set_pgresult(result)
    rows: list[Any] = transformer.load_rows(0, result.ntuples, known.row)
    return rows


def _checked(connection: psycopg.Connection[Any], result: Any) -> None:
    if result.status in _FAILED:
        raise error_from_result(result, encoding=connection.info.encoding)


def _wait(connection: psycopg.Connection[Any], generator: Any) -> Any:
    return waiting.wait(generator, connection.pgconn.socket, interval=_LOOK)
