"""Which failures of the database pass by themselves, so that the same work may be tried again.

A server that restarts, a lost connection, a deadlock's victim, a full disk: no fault of the work's.
A constraint or a wrong statement fails again however often it is tried.
"""

import sqlite3

from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

# PostgreSQL, "Error Codes", the classes: connection, rollback (deadlock, serialization),
# insufficient resources, object not in use state (lock timeout), operator intervention, system.
_PASSING_CLASSES = {"08", "40", "53", "55", "57", "58"}
# The same, a single code: a server that is read-only while another takes over.
_READ_ONLY = "25006"
# SQLite, "Result and Error Codes", the primary ones.
_PASSING_CODES = {
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_NOMEM,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_INTERRUPT,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_PROTOCOL,
}


def passes(error: BaseException) -> bool:
    """Whether this is the database being away, full or busy for now."""
    if not isinstance(error, DBAPIError):
        # Before a connection there is only the network's own error.
        return isinstance(error, OSError | PoolTimeout)
    if error.connection_invalidated:
        return True
    state = getattr(error.orig, "sqlstate", None)
    if state is not None:
        return state[:2] in _PASSING_CLASSES or state == _READ_ONLY
    code = getattr(error.orig, "sqlite_errorcode", None)
    # An extended code has the primary one in its low byte.
    return code is not None and code & 0xFF in _PASSING_CODES
