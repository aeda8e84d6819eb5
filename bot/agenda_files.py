"""Agenda files: the one door through which every format comes in.

Which format a file has is told by how it begins, and only then by its name: people rename files,
and messengers do so too. What no format of ours can be is refused here, before anything reads it.
"""

from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

from bot import calendar_files, frab_files, frab_xml, yaml_files
from bot.agenda_problems import (
    HOME,
    MAX_BYTES,
    AgendaFileError,
    Reading,
    fail,
)
from handlers.agenda_flaws import Flaw
from storage.agendas import Agenda

__all__ = ["HOME", "AgendaFileError", "Reading", "read", "read_agenda", "read_content"]

# A reader of a format: the file's name, its content, and the zone of an event that names none.
Reader = Callable[[Path, bytes, str], Reading]

_BY_NAME: dict[str, Reader] = {
    ".yaml": yaml_files.read,
    ".yml": yaml_files.read,
    ".json": frab_files.read,
    ".xml": frab_xml.read,
    ".ics": calendar_files.read,
}
# How files begin that only look like texts by their names.
_DISGUISES = {
    b"PK\x03\x04": (Flaw.OFFICE, ""),
    b"\x1f\x8b": (Flaw.COMPRESSED, "gzip"),
    b"BZh": (Flaw.COMPRESSED, "bzip2"),
    b"\xfd7zXZ": (Flaw.COMPRESSED, "xz"),
    b"7z\xbc\xaf": (Flaw.COMPRESSED, "7z"),
    b"%PDF": (Flaw.PDF, ""),
    b"\x89PNG": (Flaw.PICTURE, ""),
    b"\xff\xd8\xff": (Flaw.PICTURE, ""),
    b"GIF8": (Flaw.PICTURE, ""),
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
        _fail(path, f"there is no file {path}", "Check its name and its folder.")
    except IsADirectoryError:
        _fail(path, f"{path} is a folder", "Name the agenda file inside it.")
    except OSError as error:
        _fail(path, f"it can't be opened ({error.strerror})", "Check that you may read it.")
    return _read(path, content, home)


def _fail(path: Path, what: str, remedy: str) -> NoReturn:
    """Only the command line opens files by their paths, and it speaks English."""
    fail(path, Flaw.OTHER, what=what, remedy=remedy)


def read_content(name: str, content: bytes, home: str = HOME) -> Reading:
    """The agenda in a file of this name that somebody sent, as `read`.

    It may take seconds for the longest agendas: call it in a thread.
    """
    return _read(Path(Path(name).name or "agenda"), content, home)


def _read(path: Path, content: bytes, home: str) -> Reading:
    if len(content) > MAX_BYTES:
        fail(path, Flaw.TOO_LARGE, megabytes=MAX_BYTES // 1_000_000)
    for sign, (flaw, how) in _DISGUISES.items():
        if content.startswith(sign):
            fail(path, flaw, how=how)
    if content.startswith(_UTF_16):
        fail(path, Flaw.UTF_16, 1)
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
        fail(path, Flaw.NOT_UTF_8, line)


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
        fail(path, Flaw.UNKNOWN_FORMAT, ending=path.suffix)
    return named
