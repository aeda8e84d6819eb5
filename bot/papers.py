"""Papers become files: calendars, spreadsheets and schedules, built off the event loop."""

import asyncio
import csv
import re
from io import BytesIO, StringIO

from bot.frab_export import written
from handlers.papers import Calendar, Paper, Programme, Sheet

# What a spreadsheet would take for a formula, or for the end of its cell. OWASP, "CSV Injection".
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
# Of an iCalendar item, RFC 5545 section 3.8.7.4: a higher number is the newer version. Minutes fit
# the 32 bits that a number may have there.
_SEQUENCE_SECONDS = 60
# A column of a spreadsheet, in characters.
_WIDEST = 40


async def file_of(paper: Paper) -> bytes:
    """The file's content, made in a thread."""
    return await asyncio.to_thread(content, paper)


def content(paper: Paper) -> bytes:
    """The file's content."""
    match paper:
        case Calendar():
            return _calendar(paper)
        case Programme():
            return written(paper.agenda, paper.language)
        case Sheet() if paper.name.endswith(".xlsx"):
            return _workbook(paper)
        case Sheet():
            return _csv(paper)


def _calendar(paper: Calendar) -> bytes:
    """An iCalendar (RFC 5545) with times in UTC, which every calendar shows in its own zone."""
    import icalendar  # noqa: PLC0415 - heavy, for the few that ask for a file

    calendar = icalendar.Calendar()
    calendar.add("prodid", "-//Jisr//jisr//EN")
    calendar.add("version", "2.0")
    # RFC 5546, section 3.2.5: what is called off is a message of its own, for all that is in it.
    off = bool(paper.entries) and all(entry.cancelled for entry in paper.entries)
    calendar.add("method", "CANCEL" if off else "PUBLISH")
    calendar.add("x-wr-calname", paper.title)
    calendar.add("x-wr-timezone", paper.zone)
    for entry in paper.entries:
        item = icalendar.Event()
        item.add("uid", entry.uid)
        item.add("dtstamp", paper.made_at)
        item.add("last-modified", paper.made_at)
        item.add("sequence", int(paper.made_at.timestamp()) // _SEQUENCE_SECONDS)
        item.add("summary", entry.title)
        item.add("dtstart", entry.starts_at)
        item.add("dtend", entry.ends_at)
        if entry.place:
            item.add("location", entry.place)
        status = "CONFIRMED" if entry.sure else "TENTATIVE"
        item.add("status", "CANCELLED" if entry.cancelled else status)
        item.add("transp", "OPAQUE" if entry.sure and not entry.cancelled else "TRANSPARENT")
        calendar.add_component(item)
    return bytes(calendar.to_ical())


def _csv(paper: Sheet) -> bytes:
    text = StringIO(newline="")
    csv.writer(text).writerows([neutral(cell) for cell in row] for row in paper.rows)
    # Excel reads Arabic and accents only behind a byte order mark.
    return text.getvalue().encode("utf-8-sig")


def _workbook(paper: Sheet) -> bytes:
    from openpyxl import Workbook  # noqa: PLC0415 - heavy, for the few that ask for a file
    from openpyxl.styles import Font  # noqa: PLC0415 - the same
    from openpyxl.utils import get_column_letter  # noqa: PLC0415 - the same

    book = Workbook()
    book.remove(book.worksheets[0])
    sheet = book.create_sheet()
    for row in paper.rows:
        sheet.append([neutral(cell) for cell in row])
    for number, column in enumerate(zip(*paper.rows, strict=True), start=1):
        sheet.cell(1, number).font = Font(bold=True)
        width = max(len(str(cell)) for cell in column)
        sheet.column_dimensions[get_column_letter(number)].width = min(_WIDEST, width + 2)
    sheet.freeze_panes = "A2"
    content = BytesIO()
    book.save(content)
    return content.getvalue()


def neutral(cell: str | int) -> str | int:
    """A cell that no spreadsheet takes for a formula, without what no spreadsheet may hold."""
    if isinstance(cell, int):
        return cell
    # XML 1.0, "Characters": a workbook is XML.
    cell = re.sub("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]", "", cell)
    return f"'{cell}" if cell.startswith(_FORMULA) else cell
