"""The command line, as an operator meets it: each command against a database of its own."""

from hashlib import sha256
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

import bot
from bot.__main__ import command_line

RABAT = Path(bot.__file__).parent / "programmes" / "rabat-2018.yaml"


pytestmark = pytest.mark.usefixtures("logging_as_before")


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Run `jisr ...` in an empty folder, without any setting."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")

    def jisr(*words: object, **settings: str) -> Result:
        return CliRunner().invoke(command_line(), [str(w) for w in words], env=settings)

    return jisr


def test_an_agenda_is_imported_once(run):
    dry = run("import", RABAT, "--dry-run")
    assert (dry.exit_code, dry.stdout.splitlines()[-1]) == (0, "Nothing was written.")
    first = run("import", RABAT)
    assert (first.exit_code, first.stdout.splitlines()[-1]) == (0, "Imported.")
    second = run("import", RABAT)
    assert second.stdout.splitlines() == [
        "1st Thematic Workshop of Moroccan Experts in France",
        "Rabat, 2018-07-04 to 2018-07-05, Africa/Casablanca",
        "",
        "Nothing to change.",
    ]


def test_a_wrong_agenda_is_told_and_nothing_is_written(run, tmp_path: Path):
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text(RABAT.read_text("utf-8").replace("capacity: 40", "capacity: -40"), "utf-8")
    refused = run("import", wrong)
    assert refused.exit_code == 1
    assert refused.stdout.splitlines() == [
        'wrong.yaml, line 80: session "panel-5", capacity: -40 is out of range. '
        "Write a number from 0 to 1000000.",
        "1 problem found. Nothing was written.",
    ]
    assert run("import", RABAT).stdout.splitlines()[-1] == "Imported."


def test_an_invitation_is_printed_and_its_role_is_checked(run):
    invited = run("invite", "--role", "admin")
    link, told = invited.stdout.splitlines()
    assert link.startswith("Send this to the bot: /start invite-")
    assert told == "It works once, for 7 days, and makes its reader admin."
    refused = run("invite", "--role", "king")
    assert (refused.exit_code, refused.stderr) == (
        1,
        "The role is staff or admin, not 'king'.\n",
    )


def test_running_at_a_pace_that_is_paid_for_tells_the_price(run):
    told = run("run", JISR_PAID_BROADCAST="true", JISR_PACE="500").stderr
    assert "paid broadcast at 500/s: 100 Stars for 1,000 letters at worst" in told
    assert "letters are paid for" not in run("run").stderr


def test_running_without_a_token_says_how_to_get_one(run):
    refused = run("run")
    assert refused.exit_code == 1
    assert refused.stderr.splitlines()[-1] == (
        "JISR_TELEGRAM_TOKEN: is not set; write /newbot (or /token) to @BotFather in Telegram "
        "and set what it answers"
    )


def test_wrong_settings_are_all_named(run):
    refused = run("run", JISR_PACE="99", JISR_TIMEZONE="Mars")
    assert refused.exit_code == 1
    assert refused.stderr.splitlines() == [
        "JISR_TIMEZONE: not a time zone we know; write an IANA name such as Africa/Casablanca "
        "or Europe/Paris",
        "JISR_PACE: more than 30 a second have to be paid for; write a number above 0 and up to "
        "30, or set JISR_PAID_BROADCAST to go up to 1000",
    ]


def test_the_doctor_names_what_is_missing(run):
    told = run("doctor")
    assert told.exit_code == 1
    assert "there is no bot token" in told.stdout
    assert "catalogs: complete" in told.stdout


def test_a_database_is_migrated_and_nobody_is_at_work_on_it(run):
    assert run("healthy").stderr == "There is no database yet.\n"
    assert run("migrate").stdout == "The database is up to date.\n"
    assert run("healthy").stderr == "No engine is at work: nothing is delivered.\n"


def test_the_catalogs_are_complete(run):
    assert run("catalogs", "check").stdout == "The three catalogs are complete.\n"


def test_a_backup_is_taken_and_put_back(run, tmp_path: Path):
    run("import", RABAT)
    secret = tmp_path / "secret"
    secret.write_text("correct horse battery staple\n", "utf-8")
    assert run("backup").stderr == (
        "Say who may open it: either --to PUBLIC_KEY or --passphrase-file FILE.\n"
    )
    assert run("backup", "--to", "age1nobody").stderr == (
        "age1nobody is no public key of age (age1...) or SSH.\n"
    )
    taken = run("backup", "one.age", "--passphrase-file", secret)
    assert taken.exit_code == 0
    held, rows, written, checksum = taken.stdout.splitlines()
    assert held.startswith("Taken 20")
    assert "event 1, " in rows
    content = (tmp_path / "one.age").read_bytes()
    assert written == f"Written: one.age, {len(content):,} bytes"
    assert checksum == f"SHA-256: {sha256(content).hexdigest()}"

    assert run("restore", "one.age").stderr == (
        "Say what opens it: either --identity FILE or --passphrase-file FILE.\n"
    )
    secret.write_text("wrong\n", "utf-8")
    wrong = run("restore", "one.age", "--passphrase-file", secret)
    assert (wrong.exit_code, wrong.stderr) == (
        1,
        "This passphrase doesn't open this backup, or it was damaged.\n",
    )
    secret.write_text("correct horse battery staple\n", "utf-8")
    back = run("restore", "one.age", "--passphrase-file", secret, "--yes")
    assert back.stdout.splitlines()[:2] == [held, rows]
    assert back.stdout.splitlines()[2] == "Restored."
    assert run("import", RABAT).stdout.splitlines()[-1] == "Nothing to change."
    assert "no backup" not in run("doctor").stdout
