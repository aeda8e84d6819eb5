"""Days and times as people type them."""

from datetime import date, time

import pytest

from handlers.dates import read_day, read_minutes, read_time

TODAY = date(2026, 11, 22)


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("12/12", date(2026, 12, 12)),
        ("4/7", date(2027, 7, 4)),
        ("22.11", TODAY),
        ("21/11", date(2027, 11, 21)),
        ("12/12/27", date(2027, 12, 12)),
        ("2026-12-24", date(2026, 12, 24)),
        ("le 12 décembre", date(2026, 12, 12)),
        ("Samedi 12 DECEMBRE 2026", date(2026, 12, 12)),
        ("le 1er janvier", date(2027, 1, 1)),
        ("12 déc.", date(2026, 12, 12)),
        ("December 12, 2026", date(2026, 12, 12)),
        ("the 12th of December", date(2026, 12, 12)),
        ("12 دجنبر", date(2026, 12, 12)),
        ("12 ديسمبر 2026", date(2026, 12, 12)),
        ("الأربعاء 4 يوليوز", date(2027, 7, 4)),
        ("٤ يوليو", date(2027, 7, 4)),
        ("29/2", date(2028, 2, 29)),
        ("demain", date(2026, 11, 23)),
        ("aujourd'hui", TODAY),
        ("اليوم", TODAY),
        ("31/11", None),
        ("soon", None),
        ("décembre", None),
        ("12", None),
        ("12/12/1926", None),
        ("", None),
    ],
)
def test_days(typed: str, meant: date | None):
    assert read_day(typed, TODAY) == meant


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("14h30", time(14, 30)),
        ("14:30", time(14, 30)),
        ("14.30", time(14, 30)),
        ("14 h", time(14)),
        ("à 9h", time(9)),
        ("9", time(9)),
        ("1430", time(14, 30)),
        ("2:30 pm", time(14, 30)),
        ("12 am", time(0)),
        ("١٤:٣٠", time(14, 30)),
        ("24:00", None),
        ("14:75", None),
        ("13 pm", None),
        ("noonish", None),
    ],
)
def test_times(typed: str, meant: time | None):
    assert read_time(typed) == meant


def test_lengths():
    assert [read_minutes(typed) for typed in ("90 min", "45mn", "30 دقيقة", "90")] == [
        90,
        45,
        30,
        None,
    ]
