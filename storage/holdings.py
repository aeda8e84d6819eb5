"""Holdings: everything that is held about a member, found by the schema and not by memory.

A column that points to a person is either in `HELD`, and its rows are what `/mydata` shows and
`/forget` erases, or in `NOT_THEIRS` with the reason. `unclassified` names the rest, and a test wants
none: whoever adds such a column decides it here.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import Column, ColumnElement, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from storage import outbox
from storage.conversations import conversation_key
from storage.tables import Address, Base, Conversation, Lane, Member, Trilingual

# The columns by which a member's own rows are found: "table.column".
HELD = (
    "member.id",
    "address.member_id",
    "link_code.member_id",
    "consent.member_id",
    "agreement.member_id",
    "member_lead.member_id",
    "member_theme.member_id",
    "rsvp.member_id",
    "ticket.member_id",
    "rating.member_id",
    "walk_in.member_id",
    "posted_card.member_id",
    "outbox.member_id",
    "recipient.member_id",
    "update.member_id",
    # Introductions: what they say of themselves, and each that they were part of.
    "meeting_profile.member_id",
    "meeting_topic.member_id",
    "meeting_language.member_id",
    "meeting_block.member_id",
    "introduction_side.member_id",
    "introduction.asker_id",
    "meeting_time_choice.member_id",
    "left_out.member_id",
    "networking_guest.member_id",
    "networking_seat.member_id",
    # The chat is part of the key: `conversation_key`.
    "conversation.key",
    # What they do as one of the team.
    "invitation.used_by",
    "invitation.made_by",
    "door.member_id",
    "edit.member_id",
    "upload.member_id",
    "sending_card.member_id",
    "audience.made_by",
    "announcement.author_id",
    "announcement.approver_id",
    "introduction_round.made_by",
    "round_schedule.set_by",
    "audit.actor_id",
)
# Columns that point to a person, or could, and are not shown as theirs; with the reason.
NOT_THEIRS: Mapping[str, str] = {
    "ticket.used_by": "who of the team let in the ticket's holder, whose row it is",
    "meeting_block.other_id": "whom somebody else never meets, which is theirs alone to know",
    "walk_in.by": "who of the team counted somebody else at the door",
    "audit.touched": "ids alone, in acts of the team, which are the team's; audit between tells",
    "address.address": "found by its member",
    "outbox.key": "found by its member",
    "outbox.provider_id": "the messenger's number of a message",
    "session.found_by": "the words by which a session is found",
    "outbox.address": "a copy of the member's address, in their own rows",
    "update.update_id": "the messenger's number of a message",
    "recipient.outcome": "what became of their letter, in their own rows",
    "audit_chain.foot_id": "a row of the audit",
    "group_chat.address": "a group or a channel, no person",
    "edit.event_id": "an event: no foreign key, for it outlives what was deleted",
    "edit.session_id": "a session, for the same reason",
    "member.post_id": "where one of the team works: a post, no person",
    "invitation.post_id": "the same",
}
# What is not told in an export: what only opens doors, or is told better by another column.
UNTOLD: Mapping[str, str] = {
    "member.rhythm": "the zone and quiet hours again, in one word",
    "invitation.code_hash": "a secret's hash",
    "update.update_id": "the messenger's number of a message",
    "outbox.about": "numbers of rows",
    "outbox.engine": "which process sent it",
    "edit.before": "the programme's words, which are public, as they were",
    "edit.after": "the same",
    "upload.agenda": "the programme in the file, which is the organiser's",
    "audit.previous": "the chain's hash",
    "audit.hash": "the same",
}
# What such columns are called: a new one that looks like them has to be classified.
_ENDS, _NAMES = ("_by", "_id", "_of"), {"by", "touched", "address", "key", "member", "members"}


KIND = "mydata"
# Whoever asked for their data and could not be reached for so long asks again.
_WORTH_SENDING = timedelta(hours=12)
# The column by which the rows that others point to are called, for people.
_NAMED = {"session": "title", "event": "title", "theme": "name"}

# The names of rows that holdings point to: by table, then by id.
Names = Mapping[str, Mapping[int, Trilingual]]


class Format(StrEnum):
    """How a member gets what is held about them."""

    HTML = "html"
    JSON = "json"


@dataclass(frozen=True, slots=True)
class Holding:
    """A table's rows about one member, as plain values by column."""

    table: str
    rows: Sequence[Mapping[str, Any]]


async def of(db: AsyncSession, member: Member) -> Sequence[Holding]:
    """All that is held about this member: the tables that have anything, their own row first.

    Values are strings, numbers, lists and mappings, as JSON knows them; instants in ISO 8601, UTC.
    """
    found = []
    for name, columns in _held().items():
        table = Base.metadata.tables[name]
        if name == Conversation.__tablename__:
            book = select(Address.channel, Address.address).where(Address.member_id == member.id)
            keys = [conversation_key(*one) for one in await db.execute(book)]
            theirs: ColumnElement[bool] = table.c.key.in_(keys)
        else:
            theirs = or_(*(table.c[column] == member.id for column in columns))
        told = [column for column in table.c if f"{name}.{column.name}" not in UNTOLD]
        rows = await db.execute(select(*told).where(theirs).order_by(*table.primary_key))
        if kept := [
            {key: _plain(value) for key, value in row.items() if value is not None}
            for row in rows.mappings()
        ]:
            found.append(Holding(name, kept))
    return found


async def names(db: AsyncSession, held: Sequence[Holding]) -> Names:
    """What the sessions, events and themes are called that these rows point to."""
    ids: dict[str, set[int]] = {}
    for one in held:
        for row in one.rows:
            for column, value in row.items():
                if (of := points_to(one.table, column)) is not None:
                    ids.setdefault(of, set()).add(value)
    found = {}
    for name, wanted in ids.items():
        table = Base.metadata.tables[name]
        called = select(table.c.id, table.c[_NAMED[name]]).where(table.c.id.in_(wanted))
        found[name] = {row[0]: row[1] for row in await db.execute(called)}
    return found


def points_to(table: str, column: str) -> str | None:
    """The table with a name for people to which this column points; None: none such."""
    keys = Base.metadata.tables[table].c[column].foreign_keys
    return next((key.column.table.name for key in keys if key.column.table.name in _NAMED), None)


async def ask(db: AsyncSession, member: Member, now: datetime) -> None:
    """Let both files be sent. Taps in the same second ask for them once."""
    rows = [
        {
            "key": f"{KIND}:{member.id}:{format_.value}:{int(now.timestamp())}",
            "member_id": member.id,
            "kind": KIND,
            "about": {"format": format_.value},
            "lane": Lane.PERSONAL,
            "due": now,
            "expires": now + _WORTH_SENDING,
        }
        for format_ in Format
    ]
    await db.execute(outbox.insert_once(db), rows)


def unclassified() -> list[str]:
    """Columns that point to a person, or look like it, about which nobody has decided."""
    known = {*HELD, *NOT_THEIRS}
    return [told for told, column in _columns() if _may_point(column) and told not in known]


def unknown() -> list[str]:
    """What is classified here and is in no table any more."""
    columns = {told for told, _ in _columns()}
    return [told for told in (*HELD, *NOT_THEIRS, *UNTOLD) if told not in columns]


def _columns() -> Iterator[tuple[str, Column[Any]]]:
    for table in Base.metadata.sorted_tables:
        for column in table.c:
            yield f"{table.name}.{column.name}", column


def _may_point(column: Column[Any]) -> bool:
    parents = {key.column.table.name for key in column.foreign_keys}
    if parents:
        return Member.__tablename__ in parents
    return column.name in _NAMES or column.name.endswith(_ENDS)


def _held() -> dict[str, list[str]]:
    held: dict[str, list[str]] = {}
    for told in HELD:
        table, _, column = told.partition(".")
        held.setdefault(table, []).append(column)
    return held


def _plain(value: Any) -> Any:
    match value:
        case datetime():
            return value.isoformat(timespec="seconds")
        case date():
            return value.isoformat()
        case str() | bool() | int() | float() | None:
            # An enumeration is its word.
            return str(value) if isinstance(value, str) else value
        case dict():
            return {str(key): _plain(one) for key, one in value.items()}
        case list() | tuple():
            return [_plain(one) for one in value]
        case _:
            return str(value)
