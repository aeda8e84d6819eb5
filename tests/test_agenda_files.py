"""Agendas read from files, with every mistake told by its line."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.agenda_files import AgendaFileError, read_agenda
from bot.agenda_problems import in_english, plain
from handlers.agenda_flaws import as_json, from_json
from handlers.agenda_problems import said
from storage.agendas import Agenda
from tests.evening import EVENING, PARTY, PROGRAMMES, SHIPPED


def test_a_file_becomes_an_agenda_with_its_times_in_utc() -> None:
    assert read_agenda(PROGRAMMES / "evening.yaml") == EVENING


@pytest.mark.parametrize(
    ("name", "slugs"),
    [
        (
            "rabat-2018",
            "opening panel-1 panel-2 panel-3 panel-4 panel-5 networking closing",
        ),
        ("lyon-2025", "digital-morocco diaspora-talent economic-diplomacy networking"),
        ("jobintech", "information kickoff startup-day graduation"),
    ],
)
def test_the_shipped_programmes_can_be_read(name: str, slugs: str) -> None:
    agenda = read_agenda(SHIPPED / f"{name}.yaml")
    assert [session.slug for session in agenda.sessions] == slugs.split()


def test_a_plain_title_is_the_same_in_all_languages(tmp_path: Path) -> None:
    agenda = edited(tmp_path, {'{fr: "Exposé", ar: "عرض", en: "Talk"}': "No"})
    assert agenda.sessions[0].title == {"fr": "No", "ar": "No", "en": "No"}


def test_what_is_optional_may_be_left_empty(tmp_path: Path) -> None:
    agenda = edited(
        tmp_path,
        {
            "capacity: 40": "capacity:\n  sides: [diaspora, morocco]\n  organiser:",
            "capacity: 30": "capacity: 0\n    room:\n    online: yes",
        },
    )
    sides = ("diaspora", "morocco")
    assert agenda.event == replace(EVENING.event, capacity=None, sides=sides)
    assert agenda.sessions[1] == replace(PARTY, capacity=0, online=True)


def test_speakers_are_told_in_the_order_of_the_file(tmp_path: Path) -> None:
    names = 'speakers: [Salma Idrissi, "Amine El Fassi"]'
    agenda = edited(tmp_path, {"minutes: 40": f"minutes: 40\n    {names}"})
    assert agenda.sessions[0].speakers == ("Salma Idrissi", "Amine El Fassi")
    assert agenda.sessions[1].speakers == ()


def test_a_session_across_the_change_of_clocks_lasts_its_minutes(tmp_path: Path) -> None:
    agenda = edited(
        tmp_path, {"2025-03-29T18:00": "2025-03-30T01:30", "minutes: 40": "minutes: 60"}
    )
    assert agenda.sessions[0].starts_at == datetime(2025, 3, 30, 0, 30, tzinfo=UTC)
    assert agenda.sessions[0].ends_at == datetime(2025, 3, 30, 1, 30, tzinfo=UTC)


def test_an_event_without_a_zone_is_at_home(tmp_path: Path) -> None:
    nowhere = tmp_path / "evening.yaml"
    text = (PROGRAMMES / "evening.yaml").read_text(encoding="utf-8")
    nowhere.write_text(text.replace("  timezone: Europe/Paris\n", ""), encoding="utf-8")
    assert read_agenda(nowhere).event.timezone == "Africa/Casablanca"
    assert read_agenda(nowhere, "Europe/Paris") == EVENING


MISTAKES = yaml.safe_load((PROGRAMMES / "mistakes.yaml").read_text(encoding="utf-8"))


@pytest.mark.parametrize("mistake", MISTAKES, ids=[mistake["said"][0] for mistake in MISTAKES])
def test_a_mistake_is_told_with_its_line_and_remedy(
    tmp_path: Path, mistake: dict[str, Any]
) -> None:
    with pytest.raises(AgendaFileError) as caught:
        edited(tmp_path, mistake["edits"])
    assert str(caught.value).split("\n") == [
        f"evening.yaml, line {line}" for line in mistake["said"]
    ]


def test_all_mistakes_are_told_at_once_in_the_order_of_lines() -> None:
    with pytest.raises(AgendaFileError) as caught:
        read_agenda(PROGRAMMES / "everything-wrong.yaml")
    told = [said(in_english(), problem) for problem in caught.value.problems]
    lines = [problem.line for problem in caught.value.problems]
    assert list(zip(lines, (plain(one.what) for one in told), strict=True)) == [
        (1, 'event: "city" is missing'),
        (2, 'event, id: "Soirée 2025" can\'t be an id'),
        (3, "event, title: Arabic (ar) is missing"),
        (3, "event, title in English: it is empty"),
        (4, "event, organiser: English (en) is missing"),
        (4, 'event, organiser: unknown key "de"'),
        (5, 'event, timezone: there is no time zone "Europe/Pariss"'),
        (6, '"timezone" is written twice in the same place'),
        (7, 'event, starts: "29/03/2025" is not a date'),
        (9, "event, capacity: -1 is out of range"),
        (10, 'event, sides: "moon" is not a side'),
        (13, 'theme "digital", id: another theme above has the id "digital"'),
        (14, 'the file: unknown key "sesions"'),
        (16, 'session "talk-1": "title" is missing'),
        (17, 'session "talk-1", kind: "lecture" is not a kind of session'),
        (18, 'session "talk-1": unknown key "titel"'),
        (19, 'session "talk-1", start: "2025-03-29 18h00" is not a date and time'),
        (20, 'session "talk-1", minutes: 0 is out of range'),
        (21, 'a "*" outside quotes has a meaning in YAML that agendas don\'t use'),
        (21, 'session "talk-1", themes: there is no theme "digitl"'),
        (22, 'session "talk-1", id: another session above has the id "talk-1"'),
        (24, 'session "talk-1", title: an invisible character (U+202E) is in the text'),
        (27, 'session "talk-1", online: "perhaps" is neither true nor false'),
        (28, "session 3: keys with values are expected"),
    ]


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.yaml", b"", "a.yaml: the file is empty. It needs an event and its sessions."),
        ("a.yaml", b"# soon\n", "a.yaml: the file is empty. It needs an event and its sessions."),
        (
            "a.yaml",
            b"event:\n  city: Orl\xe9ans\n",
            "a.yaml, line 2: this is not UTF-8 text. Save the file with the encoding UTF-8.",
        ),
        (
            "a.yaml",
            b'event: "\\UFFFFFFFF"',
            "a.yaml: the file is not valid YAML. Look for a stray backslash in a text.",
        ),
        (
            "a.yml",
            b"Programme",
            "a.yml, line 1: the file: keys with values are expected. Write each as key: value.",
        ),
        (
            "a.yaml",
            b"#" * 5_000_001,
            "a.yaml: it is larger than 5 MB. Check that it is an agenda, and split it by event.",
        ),
        (
            "a.xlsx",
            b"PK",
            'a.xlsx: ".xlsx" files can\'t be read. A schedule in JSON or XML (frab, pretalx), an iCalendar or an agenda in our YAML can be read.',
        ),
    ],
)
def test_a_file_that_is_no_agenda_is_refused(
    tmp_path: Path, name: str, content: bytes, said: str
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(AgendaFileError) as caught:
        read_agenda(path)
    assert str(caught.value) == said


def test_a_file_that_is_not_there_and_a_folder_are_refused(tmp_path: Path) -> None:
    gone, folder = tmp_path / "gone.yaml", tmp_path / "folder.yaml"
    folder.mkdir()
    expected = {
        gone: f"gone.yaml: there is no file {gone}. Check its name and its folder.",
        folder: f"folder.yaml: {folder} is a folder. Name the agenda file inside it.",
    }
    for path, told in expected.items():
        with pytest.raises(AgendaFileError) as caught:
            read_agenda(path)
        assert str(caught.value) == told


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.integers(0, 27),
    st.text(alphabet=st.sampled_from("ab1:-[]{}\"'&*!%@#|>?,. \t\n\\\x00\u202eé"), max_size=12),
    st.integers(0, 40),
)
def test_no_typing_mistake_is_anything_but_an_agenda_file_error(
    tmp_path: Path, number: int, typed: str, at: int
) -> None:
    lines = (PROGRAMMES / "evening.yaml").read_text(encoding="utf-8").splitlines()
    if number < len(lines):
        lines[number] = lines[number][:at] + typed + lines[number][at:]
    path = tmp_path / "typed.yaml"
    path.write_text("\n".join(lines), encoding="utf-8")
    try:
        agenda = read_agenda(path)
    except AgendaFileError as error:
        assert str(error)  # noqa: PT017 - it need not fail
        kept = [from_json(orjson.loads(orjson.dumps(as_json(one)))) for one in error.problems]
        assert tuple(kept) == error.problems  # noqa: PT017 - it need not fail
    else:
        assert len(agenda.sessions) in {1, 2}


def edited(tmp_path: Path, edits: dict[str, str]) -> Agenda:
    """The agenda in evening.yaml after these replacements, each of which must fit once."""
    text = (PROGRAMMES / "evening.yaml").read_text(encoding="utf-8")
    for old, new in edits.items():
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    path = tmp_path / "evening.yaml"
    path.write_text(text, encoding="utf-8", newline="")
    return read_agenda(path)
