"""An answer that could not be said at once: the outbox carries it when the messenger is back.

The answer is kept already, under its update's id, so the update may be acknowledged and holds up
neither its chat nor, when it is the oldest of a hundred, everybody else's. It comes as a new
message, perhaps after answers to what was said later.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from handlers.correspondence import Kind, Kinds, Writing
from handlers.letters import Letter, Say, Spoken
from storage import conversations, members, outbox
from storage.tables import Lane

KIND = "answer"
# Later than this nobody remembers the question.
WORTH_SAYING = timedelta(hours=12)
# Keeps the parts of one answer in their order.
_STEP = timedelta(milliseconds=1)


async def post(
    db: AsyncSession,
    *,
    channel: str,
    address: str,
    update_id: int,
    parts: Sequence[tuple[int, Spoken]],
    due: datetime,
) -> None:
    """Let these parts of the answer be said from `due` on; those posted before stay as they are.

    A toast or a mark whose tap is long past is not worth a message.
    """
    reader = await members.address_on(db, channel, address)
    rows = [
        {
            "key": f"{KIND}:{channel}:{update_id}:{part}",
            "member_id": reader.member_id,
            "kind": KIND,
            "about": {"channel": channel, "update": update_id, "part": part},
            "lane": Lane.PERSONAL,
            "due": due + part * _STEP,
            "expires": due + WORTH_SAYING,
        }
        for part, one in parts
        if one.letter is not None and one.verb != "mark" and reader is not None
    ]
    if rows:
        await db.execute(outbox.insert_once(db), rows)


async def write(db: AsyncSession, writings: Sequence[Writing]) -> list[Letter | None]:
    """The parts that are still to be said; None where the answer is too long ago."""
    letters: list[Letter | None] = []
    for about in (one.about for one in writings):
        answer = await conversations.answer_to(db, about["channel"], about["update"])
        spoken = Say.from_json(answer or []).spoken
        letters.append(spoken[about["part"]].letter if spoken else None)
    return letters


def kinds() -> Kinds:
    """Answers as a kind of outbox row: twice is better than not at all."""
    return {KIND: Kind(write=write, resend=True)}
