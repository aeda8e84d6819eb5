"""`jisr backup` and `jisr restore`: what they ask, and what they tell."""

from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer
from rich.console import Console

if TYPE_CHECKING:
    from bot.backup import Contents
    from bot.restoring import Restored
    from bot.sealing import Passphrase, PublicKeys, SecretKeys
    from bot.settings import Settings

ReadSettings = Callable[[], "Settings"]
Run = Callable[[Coroutine[Any, Any, Any]], Any]
Fail = Callable[[str], NoReturn]


def add(app: typer.Typer, settings: ReadSettings, run: Run, fail: Fail) -> None:
    """Add both commands."""

    @app.command()
    def backup(
        file: Annotated[
            Path | None, typer.Argument(help="Where to; by default beside you, named by the time.")
        ] = None,
        to: Annotated[
            list[str] | None,
            typer.Option(help="Who may open it: a public key of age (age1...) or SSH."),
        ] = None,
        passphrase_file: Annotated[
            Path | None, typer.Option(help="Or: a file with the passphrase that opens it.")
        ] = None,
    ) -> None:
        """Copy everything into one encrypted file, while the bot goes on."""
        from bot import backup as backups
        from bot.clock import RealClock
        from bot.sealing import SealError

        known, now = settings(), RealClock().now()
        path = file or Path(f"jisr-{now:%Y%m%dT%H%M%SZ}.age")
        try:
            lock = _lock(to or [], passphrase_file)
            taken = run(
                backups.take(known.database_url, path, lock, now, tools=known.postgres_tools)
            )
        except SealError as error:
            fail(str(error))
        console = Console()
        _tell(console, taken.contents)
        _say(console, f"Written: {taken.path}, {taken.size:,} bytes")
        _say(console, f"SHA-256: {taken.checksum}")

    @app.command()
    def restore(
        file: Annotated[Path, typer.Argument(help="A backup.")],
        identity: Annotated[
            Path | None, typer.Option(help="A file with the secret key of age or SSH.")
        ] = None,
        passphrase_file: Annotated[
            Path | None, typer.Option(help="Or: a file with the passphrase.")
        ] = None,
        yes: Annotated[bool, typer.Option("--yes", help="Do it without asking.")] = False,
    ) -> None:
        """Put a backup in the place of the database; what was due by now waits for a release."""
        from bot.clock import RealClock
        from bot.restoring import RestoreError
        from bot.restoring import restore as put_back
        from bot.sealing import SealError

        known, console = settings(), Console()

        def agree(contents: "Contents") -> bool:
            _tell(console, contents)
            return yes or typer.confirm("Put this in the place of the database in use?")

        try:
            restored = run(
                put_back(
                    known.database_url,
                    file,
                    _key(identity, passphrase_file),
                    RealClock().now(),
                    pace=known.pace,
                    agree=agree,
                    tools=known.postgres_tools,
                )
            )
        except (SealError, RestoreError) as error:
            fail(str(error))
        if restored is None:
            fail("Nothing was changed.")
        _told(console, restored)


def _lock(to: list[str], passphrase_file: Path | None) -> "Passphrase | PublicKeys":
    from bot.sealing import PublicKeys, SealError, read_passphrase

    if bool(to) == bool(passphrase_file):
        raise SealError("Say who may open it: either --to PUBLIC_KEY or --passphrase-file FILE.")
    return read_passphrase(passphrase_file) if passphrase_file else PublicKeys(tuple(to))


def _key(identity: Path | None, passphrase_file: Path | None) -> "Passphrase | SecretKeys":
    from bot.sealing import SealError, read_passphrase, read_secret_keys

    if passphrase_file and not identity:
        return read_passphrase(passphrase_file)
    if identity and not passphrase_file:
        return read_secret_keys(identity)
    raise SealError("Say what opens it: either --identity FILE or --passphrase-file FILE.")


def _tell(console: Console, contents: "Contents") -> None:
    rows = sum(contents.rows.values())
    _say(console, f"Taken {contents.taken}, tables at {contents.revision}, {rows:,} rows:")
    filled = [f"{name} {number:,}" for name, number in contents.rows.items() if number]
    _say(console, f"  {', '.join(filled) or 'all tables are empty'}")


def _told(console: Console, restored: "Restored") -> None:
    _say(console, "Restored.")
    if restored.aside:
        _say(console, f"What was there before is kept: {restored.aside}")
    if restored.held.letters:
        _say(
            console,
            f"{restored.held.letters:,} letters that were due wait for you, as they may have left"
            " before: `jisr outbox` shows them, `jisr outbox --release ID` (or `all`) sends them.",
        )
    if restored.held.announcements:
        _say(console, f"{restored.held.announcements:,} announcements on their way are paused.")
    if restored.forgotten:
        _say(console, f"{restored.forgotten:,} people were forgotten again.")
    for warning in restored.warnings:
        _say(console, f"Mind: {warning}")


def _say(console: Console, words: str) -> None:
    console.print(words, highlight=False, markup=False, soft_wrap=True)
