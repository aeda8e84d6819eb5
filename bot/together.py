"""Who comes at the same moment shares a transaction.

To begin and to commit costs as much as what most updates do in between, and on SQLite one
transaction waits for the other. So while as many are under way as may be, those who come meanwhile
gather, and the next takes them together. Whoever comes alone is taken at once: nobody waits for
company.

They share its fate, too. If one of them fails, nothing of it was kept and nothing said, and each is
taken again in a transaction of its own.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

# The most that share a transaction: it holds its locks for as long as all of them take.
MOST = 16

Asked = TypeVar("Asked")
Answer = TypeVar("Answer")


class _Apart(Exception):  # noqa: N818 - what to do, not what went wrong
    """Those who shared a transaction are to be taken one by one."""


@dataclass(eq=False, slots=True)
class _Waiting(Generic[Asked, Answer]):
    asked: Asked
    answer: asyncio.Future[Answer]
    taken: bool = False

    def answered(self, answer: Answer) -> None:
        if not self.answer.done():  # nobody waits any more
            self.answer.set_result(answer)

    def failed(self, error: Exception) -> None:
        if not self.answer.done():
            self.answer.set_exception(error)


class Together(Generic[Asked, Answer]):
    """Takes what is asked side by side. `take` answers several in one transaction, in their order.

    `side_by_side` says how many transactions may be under way at once, `most` how many share
    one.
    """

    def __init__(
        self,
        take: Callable[[Sequence[Asked]], Awaitable[Sequence[Answer]]],
        *,
        side_by_side: int,
        most: int = MOST,
    ) -> None:
        self._take, self._most = take, most
        self._turn = asyncio.Semaphore(side_by_side)
        self._waiting: deque[_Waiting[Asked, Answer]] = deque()

    async def ask(self, asked: Asked) -> Answer:
        """Take it, with those that wait. Raises what taking it alone raises."""
        mine: _Waiting[Asked, Answer] = _Waiting(asked, asyncio.get_running_loop().create_future())
        self._waiting.append(mine)
        try:
            async with self._turn:
                # Whoever has a turn takes those behind along; perhaps somebody has taken us.
                while not mine.taken:
                    await self._lead()
            return await mine.answer
        except _Apart:
            return await self.ask_alone(asked)
        except asyncio.CancelledError:
            mine.answer.cancel()
            raise

    async def ask_alone(self, asked: Asked) -> Answer:
        """Take what has failed before, so that it drags nobody along."""
        async with self._turn:
            [answer] = await self._take([asked])
        return answer

    async def _lead(self) -> None:
        together = self._next()
        try:
            answers = await self._take([one.asked for one in together]) if together else ()
        except asyncio.CancelledError:
            for one in together:
                one.answer.cancel()
            raise
        except Exception as error:  # noqa: BLE001 - raised again where it was asked
            for one in together:
                one.failed(error if len(together) == 1 else _Apart())
        else:
            for one, answer in zip(together, answers, strict=True):
                one.answered(answer)

    def _next(self) -> Sequence[_Waiting[Asked, Answer]]:
        first = [self._waiting.popleft() for _ in range(min(self._most, len(self._waiting)))]
        for one in first:
            one.taken = True
        return [one for one in first if not one.answer.cancelled()]
