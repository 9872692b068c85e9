"""Makes the standard library and psycopg cooperative: must be the first import of an events process.

Everything imported before would keep blocking sockets and locks.
"""

from __future__ import annotations

import os

# psycopg waits in C unless told otherwise before its import, and would freeze all handlers.
os.environ["PSYCOPG_WAIT_FUNC"] = "wait_select"

import eventlet

eventlet.monkey_patch()
