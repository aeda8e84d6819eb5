"""`jisr audit`: the commands. What they tell is made by `bot/audit_report.py` when it is asked for."""

from collections.abc import Callable, Coroutine
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, Annotated, Any
from zoneinfo import ZoneInfo

import typer
from rich.console import Console

if TYPE_CHECKING:
    from bot.settings import Settings
    from storage.database import Storage

Work = Callable[["Storage"], Coroutine[Any, Any, Any]]


def commands(settings: "Callable[[], Settings]", on: Callable[[Work], Any]) -> typer.Typer:
    """Both commands; `on` opens the database of the settings and works there."""
    app = typer.Typer(
        no_args_is_help=True, help="What the team did: is the record whole, who, when."
    )

    @app.command()
    def verify(
        expect: Annotated[
            str, typer.Option(help="A head that you noted before: it must still be in the chain.")
        ] = "",
    ) -> None:
        """Find any tampering with the audit, and print its head, to be kept somewhere else."""
        from bot.audit_report import verified

        if not on(lambda storage: verified(storage, Console(), expect)):
            raise typer.Exit(1)

    @app.command()
    def between(
        since: Annotated[str, typer.Argument(help="2026-11-22, or 2026-11-22T09:30.")],
        until: Annotated[str, typer.Argument(help="The same; of a day, all of it.")],
        as_json: Annotated[bool, typer.Option("--json", help="For machines.")] = False,
    ) -> None:
        """List who did what between two moments, and whose data was touched."""
        from bot.audit_report import report

        home = ZoneInfo(settings().timezone)
        try:
            first, last = _moment(since, home), _moment(until, home, end=True)
        except ValueError:
            complaint = "A moment is written 2026-11-22 or 2026-11-22T09:30."
            Console(stderr=True).print(complaint, style="red")
            raise typer.Exit(1) from None
        on(lambda storage: report(storage, Console(), first, last, as_json=as_json))

    return app


def _moment(written: str, home: ZoneInfo, *, end: bool = False) -> datetime:
    """An instant, or the beginning (the end) of a day, in `home` unless an offset is written."""
    if "T" not in written and " " not in written:
        day = date.fromisoformat(written) + timedelta(days=end)
        return datetime.combine(day, time(), home)
    moment = datetime.fromisoformat(written)
    return moment if moment.tzinfo else moment.replace(tzinfo=home)
