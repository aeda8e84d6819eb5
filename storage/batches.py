"""Lists as parameters: of keys to be found, and of values that rows are given.

A statement for sixteen is another one than that for fifteen, and a statement for each row is as dear
as what it does. Building one costs as much as running it, too: each is built once.
"""

from collections.abc import Collection, Sequence
from functools import cache
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Table, Update, bindparam, func, update
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncSession

Key = TypeVar("Key")


def padded(keys: Collection[Key]) -> list[Key]:
    """These keys, the last repeated until they are as many as a power of two.

    `IN` finds the same. PostgreSQL is asked to prepare and plan ten statements instead of hundreds
    (PostgreSQL, "PREPARE": a statement with other text is another statement).
    """
    padding = (1 << max(0, len(keys) - 1).bit_length()) - len(keys)
    listed = list(keys)
    return listed + listed[-1:] * padding


async def write_each(
    db: AsyncSession, table: Table, columns: Sequence[str], rows: Sequence[Sequence[Any]]
) -> None:
    """Give each of these rows, named once, its own values of these columns; the first is `id`.

    It is written to the table itself: what the session knows of these rows stays as it was.
    """
    if not rows:
        return
    if db.get_bind().dialect.name == "postgresql":
        lists = map(list, zip(*rows, strict=True))
        given = dict(zip(map(_of, columns), lists, strict=True))
        await db.execute(_of_all(table, tuple(columns)), given)
    else:
        each = [dict(zip((_of("id"), *columns[1:]), row, strict=True)) for row in rows]
        await db.execute(_of_one(table), each)


def _of(column: str) -> str:
    # A parameter of a statement that writes may not have a column's name.
    return f"given_{column}"


@cache
def _of_all(table: Table, columns: Sequence[str]) -> Update:
    """One statement for all rows: half of what it takes here to give each a statement of its own."""
    lists: list[ColumnElement[Any]] = [
        bindparam(_of(name), type_=ARRAY(table.c[name].type)) for name in columns
    ]
    given = func.unnest(*lists).table_valued(*columns).render_derived(name="given")
    values = {name: given.c[name] for name in columns[1:]}
    return update(table).where(table.c.id == given.c.id).values(values)


@cache
def _of_one(table: Table) -> Update:
    return update(table).where(table.c.id == bindparam(_of("id")))
