"""The audit: a chain that tells of any tampering, in a database that refuses to be changed."""

import asyncio
import json
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rich.console import Console
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

from bot import audit_report
from storage import audit
from storage.audit import BEGINNING, Break, Tampering
from storage.database import Storage, open_storage
from storage.tables import Audit, AuditChain
from tests.town import EVE

DAY = timedelta(days=1)
COLUMNS = ("at", "actor_id", "action", "about", "people", "touched", "previous", "hash")
TRIGGERS = {
    "audit": ("audit_is_not_changed", "audit_is_not_deleted"),
    "audit_chain": ("audit_foot_goes_forward", "audit_chain_stays"),
}


async def fill(storage: Storage, number: int) -> list[Audit]:
    """So many rows, a day apart."""
    async with storage.begin() as db:
        return [
            await audit.record(
                db,
                None,
                ("event.created", "attendees.exported")[n % 2],
                EVE + n * DAY,
                about={"event": n, "purpose": "entrance"},
                touched=[n, n + 7] if n % 2 else None,
            )
            for n in range(number)
        ]


async def verified(storage: Storage, expect: str | None = None) -> audit.Verified:
    async with storage.read() as db:
        return await audit.verify(db, expect=expect)


@asynccontextmanager
async def tampering(storage: Storage) -> AsyncIterator[AsyncSession]:
    """What the owner of the database can do; at the end all is as it was."""
    async with storage.engine.connect() as connection, AsyncSession(connection) as db:
        if storage.is_sqlite:
            for names in TRIGGERS.values():
                for name in names:
                    await db.execute(text(f"DROP TRIGGER {name}"))
        else:
            await db.execute(text("SET LOCAL session_replication_role = replica"))
        yield db
        await db.rollback()


async def test_what_is_recorded_is_verified(storage: Storage):
    assert await verified(storage) == audit.Verified(0, BEGINNING, ())
    rows = await fill(storage, 3)
    assert [row.people for row in rows] == [None, 2, None]
    assert rows[1].touched == [1, 8]
    assert await verified(storage) == audit.Verified(3, rows[-1].hash, ())
    async with storage.read() as db:
        told = await audit.between(db, EVE + DAY, EVE + 2 * DAY)
    assert [(row.action, row.actor_id) for row in told] == [("attendees.exported", None)]


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit SET people = 0 WHERE id = 1",
        "DELETE FROM audit WHERE id = 2",
        "DELETE FROM audit",
        "DELETE FROM audit_chain",
        "UPDATE audit_chain SET foot_id = -1",
    ],
)
async def test_the_database_refuses_to_change_it(storage: Storage, statement: str):
    await fill(storage, 2)
    with pytest.raises(DBAPIError, match="appended"):
        async with storage.begin() as db:
            await db.execute(text(statement))
    assert (await verified(storage)).breaks == ()


async def test_a_table_is_not_emptied(storage: Storage):
    await fill(storage, 2)
    if storage.is_sqlite:
        return  # which has no TRUNCATE
    with pytest.raises(DBAPIError, match="appended"):
        async with storage.begin() as db:
            await db.execute(text("TRUNCATE audit"))


async def test_many_at_once_make_one_chain(storage: Storage):
    async def append(number: int) -> None:
        async with storage.begin() as db:
            await audit.record(db, None, "event.created", EVE, about={"event": number})

    await asyncio.gather(*(append(n) for n in range(40)))
    assert (await verified(storage)).rows == 40
    assert (await verified(storage)).breaks == ()


async def test_what_is_old_is_dropped_and_the_rest_verified_as_before(storage: Storage):
    rows = await fill(storage, 6)
    async with storage.begin() as db:
        assert await audit.drop_before(db, EVE) == 0
        assert await audit.drop_before(db, EVE + 3 * DAY) == 3
        # Nothing is left to drop.
        assert await audit.drop_before(db, EVE + 3 * DAY) == 0
    assert await verified(storage, rows[2].hash) == audit.Verified(3, rows[-1].hash, ())
    async with storage.begin() as db:
        assert await audit.drop_before(db, EVE + 99 * DAY) == 3
    assert await verified(storage) == audit.Verified(0, rows[-1].hash, ())
    await fill(storage, 2)
    assert (await verified(storage)).breaks == ()


async def test_a_cut_tail_is_missed_and_a_made_up_head_is_not_the_one_that_was_noted(
    storage: Storage,
):
    rows = await fill(storage, 5)
    async with tampering(storage) as db:
        await db.execute(text("DELETE FROM audit WHERE id > 3"))
        assert (await audit.verify(db)).breaks == (Break(Tampering.CUT),)
        # Whoever sets the head back too is found by who noted it before, and by nobody else.
        await db.execute(text("UPDATE audit_chain SET head = :head"), {"head": rows[2].hash})
        assert (await audit.verify(db)).breaks == ()
        noted = await audit.verify(db, expect=rows[4].hash)
        assert noted.breaks == (Break(Tampering.UNEXPECTED),)
        assert (await audit.verify(db, expect=rows[1].hash)).breaks == ()


async def test_what_a_column_can_not_hold_is_found_too(storage: Storage):
    await fill(storage, 3)
    if not storage.is_sqlite:
        return  # which takes no nonsense
    for nonsense in ("about = '{'", "at = 'yesterday'", "people = 'many'", "touched = '7'"):
        async with tampering(storage) as db:
            await db.execute(text(f"UPDATE audit SET {nonsense} WHERE id = 2"))  # noqa: S608  # ours
            found = await audit.verify(db)
        assert found.breaks == (Break(Tampering.CHANGED, 2),), nonsense


ROWS = 6
which = st.integers(1, ROWS)
other = st.one_of(st.none(), st.integers(-5, 999))
hashes = st.text("0123456789abcdef", min_size=64, max_size=64)
instants = st.datetimes(min_value=EVE.replace(tzinfo=None), timezones=st.timezones())
values = {
    "at": instants,
    "actor_id": other,
    "action": st.text("abc.", max_size=20),
    "about": st.dictionaries(st.text("event", max_size=5), st.integers()),
    "people": other,
    "touched": st.one_of(st.none(), st.lists(st.integers(0, 99))),
    "previous": hashes,
    "hash": hashes,
}
changed = which.flatmap(
    lambda row: st.sampled_from(COLUMNS).flatmap(
        lambda name: values[name].map(lambda value: ("change", row, name, value))
    )
)
tamperings = st.one_of(
    changed,
    st.tuples(st.just("remove"), which, which),
    st.tuples(st.just("swap"), which, which),
    st.tuples(st.just("insert"), which, st.booleans()),
    st.tuples(st.just("move"), which, st.integers(-3, 40)),
    st.tuples(st.just("head"), hashes),
    st.tuples(st.just("foot"), st.integers(0, ROWS), hashes),
)


async def tamper(db: AsyncSession, how: Any) -> bool:  # noqa: C901  # a table of ways
    """Do this to the audit. False: it leaves every row, and their order, as they were."""
    rows = {row.id: row for row in await db.scalars(select(Audit).order_by(Audit.id))}
    chain = await db.get_one(AuditChain, 1)
    before = [told(row) for row in rows.values()] + [chain.head, chain.foot_id, chain.foot_hash]
    match how:
        case ("change", row, name, value):
            setattr(rows[row], name, value)
        case ("remove", first, last):
            for row in range(first, last + 1):
                await db.delete(rows[row])
        case ("swap", one, another):
            for name in COLUMNS:
                mine, theirs = getattr(rows[one], name), getattr(rows[another], name)
                setattr(rows[one], name, theirs)
                setattr(rows[another], name, mine)
        case ("insert", row, chained):
            copy = {name: getattr(rows[row], name) for name in COLUMNS}
            forged = Audit(**copy | {"action": "role.given", "previous": rows[ROWS].hash})
            forged.hash = audit.digest(forged) if chained else rows[row].hash
            db.add(forged)
        case ("move", row, to):
            if to not in rows:
                statement = text("UPDATE audit SET id = :to WHERE id = :row")
                await db.execute(statement, {"to": to, "row": row})
        case ("head", head):
            chain.head = head
        case ("foot", foot_id, foot_hash):
            chain.foot_id, chain.foot_hash = foot_id, foot_hash
    await db.flush()
    db.expunge_all()
    chain = await db.get_one(AuditChain, 1)
    after = [told(row) for row in await db.scalars(select(Audit).order_by(Audit.id))]
    return [*after, chain.head, chain.foot_id, chain.foot_hash] != before


def told(row: Audit) -> str:
    return json.dumps([getattr(row, name) for name in COLUMNS], default=str)


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(how=tamperings)
def test_any_single_tampering_is_found(sqlite_url: str, how: Any):
    async def tried() -> tuple[bool, audit.Verified]:
        async with open_storage(sqlite_url) as storage:
            if not (await verified(storage)).rows:
                await fill(storage, ROWS)
            async with tampering(storage) as db:
                differs = await tamper(db, how)
                return differs, await audit.verify(db)

    differs, found = asyncio.run(tried())
    assert found.breaks or not differs
    # Other numbers in the same order say the same; that the chain may notice, and need not.
    assert how[0] == "move" or differs or not found.breaks


async def test_the_command_line_verifies(storage: Storage):
    rows = await fill(storage, 3)
    paper = StringIO()
    console = Console(file=paper, width=200)
    assert await audit_report.verified(storage, console)
    assert await audit_report.verified(storage, console, rows[0].hash.upper())
    assert not await audit_report.verified(storage, console, "f" * 64)
    whole = f"The chain is whole: 3 rows.\nIts head, to be noted somewhere else: {rows[-1].hash}\n"
    assert paper.getvalue() == (
        f"{whole}{whole}The chain is broken (3 rows):\n  The head that you noted is not in the "
        "chain: its end was cut off, or all was written anew.\n"
    )


async def test_the_command_line_tells_whose_data_was_touched(storage: Storage):
    await fill(storage, 4)
    paper = StringIO()
    console = Console(file=paper, width=120)
    await audit_report.report(storage, console, EVE, EVE + 2 * DAY, as_json=False)
    lines = [" ".join(line.strip("│┃ ").split()) for line in paper.getvalue().splitlines()]
    assert [line for line in lines if line[:1].isalnum()] == [
        "When ┃ Who ┃ What ┃ About ┃ People ┃ Whose data",
        "2018-07-03 08:00:00 │ operator │ event.created │ event 0, purpose entrance",
        "2018-07-04 08:00:00 │ operator │ attendees.exported │ event 1, purpose entrance │ 2 │ 1, 8",
        "2 acts; 2 people's data touched one by one: 1, 8.",
    ]
    paper.truncate(0)
    paper.seek(0)
    await audit_report.report(storage, console, EVE + DAY, EVE + 9 * DAY, as_json=True)
    told_ = json.loads(paper.getvalue())
    assert told_["touched"] == [1, 3, 8, 10]
    assert [act["row"] for act in told_["acts"]] == [2, 3, 4]
    paper.truncate(0)
    paper.seek(0)
    await audit_report.report(storage, console, EVE + 9 * DAY, EVE + 10 * DAY, as_json=False)
    assert paper.getvalue() == "Nothing was done in that time.\n"


def test_a_day_is_all_of_it(sqlite_url: str, tmp_path: Path):
    def jisr(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(  # noqa: S603 - our own command line
            [sys.executable, "-m", "bot", "audit", *arguments],
            cwd=tmp_path,
            env={
                "PATH": "/usr/bin",
                "PYTHONPATH": str(Path(__file__).parent.parent),
                "JISR_DATABASE_URL": sqlite_url,
                "JISR_TIMEZONE": "Europe/Paris",
            },
            capture_output=True,
            text=True,
            check=False,
        )

    async def fill_() -> None:
        async with open_storage(sqlite_url) as storage:
            await fill(storage, 2)

    asyncio.run(fill_())
    told_ = json.loads(jisr("between", "2018-07-03", "2018-07-03", "--json").stdout)
    assert [act["at"] for act in told_["acts"]] == ["2018-07-03T08:00:00+00:00"]
    # In the house's own time, unless another is written.
    late = jisr("between", "2018-07-03T10:01", "2018-07-04T08:00+00:00", "--json")
    assert json.loads(late.stdout)["acts"] == []
    wrong = jisr("between", "yesterday", "today")
    assert (wrong.returncode, wrong.stderr) == (
        1,
        "A moment is written 2026-11-22 or 2026-11-22T09:30.\n",
    )
    assert jisr("verify").stdout.startswith("The chain is whole: 2 rows.\n")
