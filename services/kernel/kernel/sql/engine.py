"""The service's own database: one pool a process, short statements."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import psycopg
from sqlalchemy import Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from kernel.ops import metrics
from kernel.ops.settings import Settings
from kernel.sql.prepared import Statement, run

# A transaction left open by a bug must not hold its locks for ever. Compiling a plan takes longer than any
# statement of ours.
_OPTIONS = "-c statement_timeout=15s -c lock_timeout=5s -c idle_in_transaction_session_timeout=60s -c jit=off"
# A server that vanished without a word is noticed within seconds, not by the operating system's hours.
VANISHED: Mapping[str, Any] = {
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 2,
    "tcp_user_timeout": 4000,
}

# Connections that a reader keeps between questions, of those in the pool.
_KEPT = 3


def make_engine(settings: Settings) -> Engine:
    """The pool of this process: fixed size, waits at most 2 s for a connection."""
    url = make_url(settings.database_url.get_secret_value()).set(drivername="postgresql+psycopg")
    engine = create_engine(
        url,
        pool_size=settings.database_pool,
        max_overflow=0,
        pool_timeout=2,
        # What a failed statement was given may be personal, and errors are logged.
        hide_parameters=True,
        connect_args={
            "connect_timeout": 2,
            "options": _OPTIONS,
            **VANISHED,
        },
    )
    metrics.pool_size.set(settings.database_pool)
    event.listen(engine, "checkout", lambda *_: metrics.pool_in_use.inc())
    event.listen(engine, "checkin", lambda *_: metrics.pool_in_use.dec())
    return engine


def run_on(connection: Connection, *statements: Statement) -> list[list[Any]]:
    """prepared.run on a connection of the pool, within its transaction.

    One that broke says that those in the pool did too: they are replaced, as SQLAlchemy does when a
    statement of its own fails so.
    """
    driver: Any = connection.connection.driver_connection
    try:
        return run(driver, *statements)
    except psycopg.OperationalError as error:
        if _says_away(error):
            connection.engine.dispose()
        raise


def is_unavailable(error: BaseException) -> bool:
    """Whether the database can't be reached now, rather than the statement being wrong."""
    if isinstance(error, PoolTimeout):
        return True
    if isinstance(error, DBAPIError):
        return error.connection_invalidated or _says_away(error.orig)
    return _says_away(error)


def is_conflict(error: BaseException) -> bool:
    """Whether another transaction was in the way: deadlock, serialization, lock wait."""
    state = getattr(getattr(error, "orig", error), "sqlstate", None)
    return state in ("40001", "40P01", "55P03")


def is_cut_off(error: BaseException) -> bool:
    """Whether a statement took longer than any may."""
    return getattr(getattr(error, "orig", error), "sqlstate", None) == "57014"


def _says_away(error: BaseException | None) -> bool:
    if not isinstance(error, psycopg.OperationalError):
        return False
    # No SQLSTATE: the connection broke. 57P0x: the server stops or starts. 08: connection. 53: resources.
    return error.sqlstate is None or error.sqlstate.startswith(("57P0", "08", "53"))


class Reader:
    """Reads single statements in autocommit, prepared and binary: what the read side is made of."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._idle: list[Any] = []

    def rows(self, sql: str, params: Mapping[str, Any] | Sequence[Any] = ()) -> list[Any]:
        """All rows, as named tuples. `sql` is a constant of the program, with %(name)s for values.

        A connection that broke while it lay in the pool is replaced and the question asked again.
        """
        try:
            return self._rows(sql, params)
        except psycopg.OperationalError as error:
            if not _says_away(error):
                raise
            self.close()
            self._engine.dispose()
            return self._rows(sql, params)

    def row(self, sql: str, params: Mapping[str, Any] | Sequence[Any] = ()) -> Any | None:
        """The only row, or None."""
        found = self.rows(sql, params)
        return found[0] if found else None

    def _rows(self, sql: str, params: Mapping[str, Any] | Sequence[Any]) -> list[Any]:
        fairy = self._taken()
        try:
            [rows] = run(fairy.driver_connection, (sql, params))
        except BaseException:
            # Whatever state it is in, it must not be used again.
            fairy.invalidate()
            raise
        self._give_back(fairy)
        return rows

    def _taken(self) -> Any:
        """A connection of the pool in autocommit mode."""
        try:
            return self._idle.pop()
        except IndexError:
            fairy: Any = self._engine.raw_connection()
            fairy.driver_connection.autocommit = True
            return fairy

    def _give_back(self, fairy: Any) -> None:
        """Keeps it for the next question, or gives it back to those who write."""
        if len(self._idle) < _KEPT:
            self._idle.append(fairy)
            return
        fairy.driver_connection.autocommit = False
        fairy.close()

    def close(self) -> None:
        """Lets go of the connections that are kept."""
        while self._idle:
            self._idle.pop().invalidate()
