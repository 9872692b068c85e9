"""Makes the standard library and psycopg cooperative: must be the first import of an events process.

Everything imported before would keep blocking sockets and locks.
"""

from __future__ import annotations

import os
import warnings

# psycopg waits in C unless told otherwise before its import, and would freeze all handlers.
os.environ["PSYCOPG_WAIT_FUNC"] = "wait_select"
# nameko is built on eventlet; this process is its only home.
warnings.filterwarnings("ignore", message=r"\s*Eventlet is deprecated")

import eventlet  # noqa: E402

eventlet.monkey_patch()
