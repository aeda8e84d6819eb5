"""Agenda files: the one door through which every format comes in.

Which format a file has is told by how it begins, and only then by its name: people rename files,
and messengers do so too. What no format of ours can be is refused here, before anything reads it.
"""

from collections.abc import Callable
from pathlib import Path

from bot import calendar_files, frab_files, frab_xml, yaml_files
from bot.agenda_problems import (
    HOME,
    MAX_BYTES,
    AgendaFileError,
    Problem,
    Reading,
    fail,
)
from storage.agendas import Agenda

__all__ = ["HOME", "AgendaFileError", "Problem", "Reading", "read", "read_agenda", "read_content"]

# A reader of a format: the file's name, its content, and the zone of an event that names none.
Reader = Callable[[Path, bytes, str], Reading]

_BY_NAME: dict[str, Reader] = {
    ".yaml": yaml_files.read,
    ".yml": yaml_files.read,
    ".json": frab_files.read,
    ".xml": frab_xml.read,
    ".ics": calendar_files.read,
}
_KNOWN = (
    "A schedule in JSON or XML (frab, pretalx), an iCalendar or an agenda in our YAML can be read"
)
# How files begin that only look like texts by their names.
_DISGUISES = {
    b"PK\x03\x04": "a zip archive or an office document",
    b"\x1f\x8b": "compressed (gzip)",
    b"BZh": "compressed (bzip2)",
    b"\xfd7zXZ": "compressed (xz)",
    b"7z\xbc\xaf": "compressed (7z)",
    b"%PDF": "a PDF document",
    b"\x89PNG": "a picture",
    b"\xff\xd8\xff": "a picture",
    b"GIF8": "a picture",
}
_CALENDAR = b"BEGIN:VCALENDAR"
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")


def read_agenda(path: Path, home: str = HOME) -> Agenda:
    """The agenda in this file, without the remarks about it. Raises AgendaFileError."""
    return read(path, home).agenda


def read(path: Path, home: str = HOME) -> Reading:
    """The agenda in this file; `home` is the zone of an event that names none (IANA name).

    Raises AgendaFileError, with all that is wrong with it.
    """
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        fail(path, f"there is no file {path}", "Check its name and its folder.")
    except IsADirectoryError:
        fail(path, f"{path} is a folder", "Name the agenda file inside it.")
    except OSError as error:
        fail(path, f"it can't be opened ({error.strerror})", "Check that you may read it.")
    return _read(path, content, home)


def read_content(name: str, content: bytes, home: str = HOME) -> Reading:
    """The agenda in a file of this name that somebody sent, as `read`.

    It may take seconds for the longest agendas: call it in a thread.
    """
    return _read(Path(Path(name).name or "agenda"), content, home)


def _read(path: Path, content: bytes, home: str) -> Reading:
    if len(content) > MAX_BYTES:
        fail(path, "it is larger than 5 MB", "Check that it is an agenda, and split it by event.")
    for sign, what in _DISGUISES.items():
        if content.startswith(sign):
            fail(path, f"it is {what}, whatever its name", f"Unpack or export it first. {_KNOWN}.")
    if content.startswith(_UTF_16):
        fail(path, "this is UTF-16 text", "Save the file with the encoding UTF-8.", 1)
    reader = _reader(path, content)
    # A calendar's lines may be folded in the middle of a letter; its reader looks by itself.
    if reader is not calendar_files.read:
        _refuse_other_encodings(path, content)
    return reader(path, content, home)


def _refuse_other_encodings(path: Path, content: bytes) -> None:
    try:
        content.decode()
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        fail(path, "this is not UTF-8 text", "Save the file with the encoding UTF-8.", line)


def _reader(path: Path, content: bytes) -> Reader:
    begins = content[:1024].removeprefix(b"\xef\xbb\xbf").lstrip()
    named = _BY_NAME.get(path.suffix.lower())
    # A YAML file may begin with a bracket as well.
    if begins.startswith((b"{", b"[")) and named is not yaml_files.read:
        return frab_files.read
    if begins.startswith(b"<"):
        return frab_xml.read
    if begins[: len(_CALENDAR)].upper() == _CALENDAR:
        return calendar_files.read
    if named is None:
        fail(path, f'"{path.suffix}" files can\'t be read', f"{_KNOWN}.")
    return named
