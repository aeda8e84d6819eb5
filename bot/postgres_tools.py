"""PostgreSQL's own programs for taking a database out and putting it in: pg_dump and the rest.

They are the operator's, from PATH or from JISR_POSTGRES_TOOLS, and as new as the server or newer.
What connects them travels in the environment, never among the arguments that others can list.
"""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from sqlalchemy.engine import URL

from bot.sealing import SealError

# Seconds in which a program that is told to stop does so.
_PATIENCE = 5


class Dump:
    """A running pg_dump, read as it writes. Leaving ends it."""

    def __init__(self, url: URL, tools: Path | None, arguments: Sequence[str]) -> None:
        program = _program("pg_dump", tools)
        self._complaints = tempfile.TemporaryFile()  # noqa: SIM115  # closed on leaving
        self._process = subprocess.Popen(  # noqa: S603  # the operator's own program
            [program, *arguments],
            env=_environment(url),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=self._complaints,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._process.poll() is None:
            self._process.terminate()
            self._process.wait(_PATIENCE)
        if self._process.stdout is not None:
            self._process.stdout.close()
        self._complaints.close()

    def read(self, size: int) -> bytes:
        """The next bytes, none at the end. Raises SealError unless that is a good end."""
        if self._process.stdout is None:
            raise ValueError("a dump has an output")
        read = self._process.stdout.read(size)
        if not read and self._process.wait() != 0:
            self._complaints.seek(0)
            raise SealError(_complaint("pg_dump", self._complaints.read()))
        return read


def dump(url: URL, tools: Path | None, *, snapshot: str, without: str) -> Dump:
    """Dump the database as this snapshot has it, but for schemas named like `without`."""
    return Dump(
        url,
        tools,
        [
            *("--format=custom", "--no-owner", "--no-privileges"),
            *(f"--snapshot={snapshot}", f"--exclude-schema={without}"),
        ],
    )


def as_sql(url: URL, tools: Path | None, dumped: Path, script: Path) -> None:
    """Turn a dump into statements. Raises SealError if it can't be."""
    _run(
        "pg_restore",
        url,
        tools,
        ["--no-owner", "--no-privileges", f"--file={script}", str(dumped)],
    )


def run_sql(url: URL, tools: Path | None, scripts: Sequence[Path]) -> None:
    """Run these in one transaction: all of it, or nothing. Raises SealError if it fails."""
    files = [f"--file={script}" for script in scripts]
    quiet = ("--no-psqlrc", "--quiet", "--output=/dev/null")
    _run("psql", url, tools, [*quiet, "--single-transaction", "--set=ON_ERROR_STOP=1", *files])


def _run(name: str, url: URL, tools: Path | None, arguments: Sequence[str]) -> None:
    done = subprocess.run(  # noqa: S603  # the operator's own program
        [_program(name, tools), *arguments],
        env=_environment(url),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
    )
    if done.returncode != 0:
        raise SealError(_complaint(name, done.stderr))


def _program(name: str, tools: Path | None) -> str:
    found = shutil.which(name, path=None if tools is None else str(tools))
    if found is None:
        where = "on PATH" if tools is None else f"in {tools}"
        raise SealError(
            f"There is no {name} {where}: install PostgreSQL's client programs, of the server's"
            " version or newer, or set JISR_POSTGRES_TOOLS to their folder."
        )
    return found


def _complaint(name: str, said: bytes) -> str:
    # The first error tells what; its details may quote people's words, but for a version's.
    lines = said.decode(errors="replace").splitlines()
    told = [line for line in lines if "error: " in line.lower() or "server version: " in line]
    return f"{name} failed: {'; '.join(told[:2]) or 'no reason given'}."


def _environment(url: URL) -> dict[str, str]:
    """Libpq's variables for this database, beside what else programs need."""
    asked = {name: value for name, value in url.query.items() if isinstance(value, str)}
    told = {
        "PGHOST": asked.get("host") or url.host,
        "PGPORT": str(url.port) if url.port else asked.get("port"),
        "PGUSER": url.username or asked.get("user"),
        "PGPASSWORD": url.password or asked.get("password"),
        "PGDATABASE": url.database,
        "PGSSLMODE": asked.get("ssl"),
        "PGAPPNAME": "jisr",
        "PATH": os.defpath,
        # Complaints in the words that `_complaint` knows.
        "LC_ALL": "C",
    }
    return {name: str(value) for name, value in told.items() if value}
