"""An evening in Lyon: the agenda that programmes/evening.yaml describes."""

from datetime import UTC, date, datetime
from pathlib import Path

from storage.agendas import Agenda, PlannedEvent, PlannedSession, PlannedTheme

PROGRAMMES = Path(__file__).parent / "programmes"
SHIPPED = Path(__file__).parent.parent / "bot" / "programmes"

TALK = PlannedSession(
    slug="talk-1",
    kind="talk",
    title={"fr": "Exposé", "ar": "عرض", "en": "Talk"},
    starts_at=datetime(2025, 3, 29, 17, tzinfo=UTC),
    ends_at=datetime(2025, 3, 29, 17, 40, tzinfo=UTC),
    room={"fr": "Salle A", "ar": "القاعة أ", "en": "Room A"},
    themes=frozenset({"digital"}),
)
PARTY = PlannedSession(
    slug="party",
    kind="networking",
    title={"fr": "Échanges", "ar": "تشبيك", "en": "Networking"},
    starts_at=datetime(2025, 3, 29, 19, tzinfo=UTC),
    ends_at=datetime(2025, 3, 29, 20, 30, tzinfo=UTC),
    capacity=30,
    themes=frozenset({"digital", "export"}),
)
DIGITAL = PlannedTheme(slug="digital", name={"fr": "Numérique", "ar": "الرقمنة", "en": "Digital"})
EXPORT = PlannedTheme(slug="export", name={"fr": "Export", "ar": "التصدير", "en": "Export"})
EVENING = Agenda(
    event=PlannedEvent(
        slug="evening",
        title={"fr": "Soirée", "ar": "أمسية", "en": "Evening"},
        city="Lyon",
        timezone="Europe/Paris",
        starts=date(2025, 3, 29),
        ends=date(2025, 3, 30),
        capacity=40,
    ),
    themes=(DIGITAL, EXPORT),
    sessions=(TALK, PARTY),
)
