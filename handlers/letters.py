"""What is said: a letter is a value, and `Say` holds it until the transaction has committed.

A reply, a reminder and an announcement are the same type. A channel renders a letter in its own
way, so that conversations are written once.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Self

from handlers.papers import Paper

# Bot API, InlineKeyboardButton.callback_data: 1-64 bytes.
CALLBACK_BYTES = 64


@dataclass(frozen=True, slots=True)
class Tap:
    """A button: `data` comes back when it is tapped, `url` opens a page, and `query` asks the bot
    from a chat that the person chooses. Exactly one is given.
    """

    label: str
    data: str | None = None
    url: str | None = None
    query: str | None = None

    def __post_init__(self) -> None:
        """Raise ValueError for a button no messenger would take."""
        if [self.data, self.url, self.query].count(None) != 2:  # noqa: PLR2004  # all but one
            raise ValueError("a tap has either data or a url or a query")
        if self.data is not None and not 1 <= len(self.data.encode()) <= CALLBACK_BYTES:
            raise ValueError(f"callback data is 1-{CALLBACK_BYTES} bytes: {self.data!r}")


@dataclass(frozen=True, slots=True)
class Attachment:
    """A document or picture that goes with a letter."""

    name: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Stored:
    """A file that the messenger holds already, under its own name for it; never fetched by us.

    `kind` is "photo" or "document".
    """

    kind: str
    file: str
    name: str = ""


@dataclass(frozen=True, slots=True)
class Scannable:
    """A picture for a camera (a QR code), which opens the bot with this payload.

    The channel draws it when it sends: it alone knows the bot's address.
    """

    payload: str


@dataclass(frozen=True, slots=True)
class Bars:
    """One line of a chart. `seats` is None where they aren't counted, `stars` without ratings;
    `mark` is what stands at the stars.
    """

    label: str
    seats: int | None
    taken: int
    attended: int
    stars: float | None
    mark: str


@dataclass(frozen=True, slots=True)
class Chart:
    """A picture of figures, with plain words in the reader's language; drawn by the channel.

    `legend` names the seats, those taken, those who attended, and the stars.
    """

    title: str
    legend: tuple[str, str, str, str]
    lines: tuple[Bars, ...]
    right_to_left: bool


@dataclass(frozen=True, slots=True)
class Reach:
    """A picture of whom something reached, with plain words in the reader's language.

    `parts` name the numbers of each row, in their order; `series` are drawn over `moments`.
    """

    title: str
    parts: tuple[str, ...]
    rows: tuple[tuple[str, tuple[int, ...]], ...]
    answers: tuple[tuple[str, int], ...]
    moments: tuple[str, ...]
    series: tuple[tuple[str, tuple[int, ...]], ...]
    # Above the answers, and above what happened over time.
    headings: tuple[str, str]
    right_to_left: bool


@dataclass(frozen=True, slots=True)
class Template:
    """The approved form of a proactive letter, for channels that insist on one."""

    name: str
    values: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Edited:
    """A message that a letter takes the place of, as the messenger calls it.

    `elsewhere`: it stands in a chat that isn't the reader's, posted there by inline mode.
    """

    message: str
    elsewhere: bool = False


@dataclass(frozen=True, slots=True)
class Letter:
    """One thing said, in one language.

    `text` is a small HTML subset: b, i, a and tg-time, everything a person typed escaped and
    isolated by `handlers.words`. What staff write for others may have u, s, code, pre, blockquote and
    tg-spoiler too (`handlers.announcement_letters`). `taps` are rows of buttons.
    """

    text: str
    taps: tuple[tuple[Tap, ...], ...] = ()
    document: Attachment | Paper | None = None
    picture: Attachment | Scannable | Chart | Reach | None = None
    template: Template | None = None
    edits: Edited | None = None
    stored: Stored | None = None
    # Of a reply with a secret in it this is kept instead: it is shown once, even after a crash.
    once: str | None = None

    def with_first_line(self, line: str) -> Self:
        """The same letter, told after one more line."""
        return replace(self, text=f"{line}\n\n{self.text}")

    def as_json(self) -> dict[str, Any]:
        """A reply as kept under its update id. It carries no file but one the messenger holds."""
        if self.document or self.picture:
            raise ValueError("a stored reply carries no file; post it to the outbox")
        if self.once is not None:
            return {"text": self.once, "taps": []}
        told: dict[str, Any] = {
            "text": self.text,
            "taps": [[[t.label, t.data, t.url, t.query] for t in r] for r in self.taps],
        }
        if self.stored is not None:
            told["stored"] = [self.stored.kind, self.stored.file, self.stored.name]
        return told

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Self:
        """The reply that `as_json` kept."""
        taps = tuple(tuple(Tap(*t) for t in row) for row in value["taps"])
        stored = Stored(*value["stored"]) if "stored" in value else None
        return cls(value["text"], taps, stored=stored)


@dataclass(frozen=True, slots=True)
class Choice:
    """A letter that a person may post in another chat, and what they see of it before.

    `key` tells what was chosen (Bot API, InlineQueryResult.id: 1-64 bytes).
    """

    key: str
    title: str
    description: str
    letter: Letter


@dataclass(frozen=True, slots=True)
class Spoken:
    """One utterance: a new message, an edit of the card that was tapped or of its buttons alone,
    a short toast, or choices to a question from another chat.
    """

    verb: str
    letter: Letter | None = None
    toast: str = ""
    choices: tuple[Choice, ...] = ()


@dataclass(slots=True)
class Say:
    """How a handler speaks. It holds its tongue until the commit."""

    spoken: list[Spoken] = field(default_factory=list)

    def __call__(self, letter: Letter) -> None:
        """Say something new, below what was said before."""
        self.spoken.append(Spoken("send", letter))

    def edit(self, letter: Letter) -> None:
        """Let the tapped card say this instead. Without a tapped card it is said anew."""
        self.spoken.append(Spoken("edit", letter))

    def mark(self, taps: tuple[tuple[Tap, ...], ...]) -> None:
        """Let the tapped message keep its words and file, and have these buttons."""
        self.spoken.append(Spoken("mark", Letter("", taps)))

    def toast(self, text: str) -> None:
        """A few plain words over the tapped button (Bot API answerCallbackQuery: 200 characters)."""
        self.spoken.append(Spoken("toast", toast=text))

    def choices(self, choices: Sequence[Choice]) -> None:
        """Offer these to who asked from another chat; also when there are none."""
        self.spoken.append(Spoken("choices", choices=tuple(choices)))

    def as_json(self) -> list[dict[str, Any]]:
        """All that was said, to be kept under the update's id."""
        return [
            {
                "verb": s.verb,
                "letter": s.letter and s.letter.as_json(),
                "toast": s.toast,
                "choices": [
                    [one.key, one.title, one.description, one.letter.as_json()] for one in s.choices
                ],
            }
            for s in self.spoken
        ]

    @classmethod
    def from_json(cls, value: list[dict[str, Any]]) -> Self:
        """What `as_json` kept, to be said again."""
        return cls(
            [
                Spoken(
                    s["verb"],
                    s["letter"] and Letter.from_json(s["letter"]),
                    s["toast"],
                    tuple(
                        Choice(key, title, description, Letter.from_json(letter))
                        for key, title, description, letter in s.get("choices", ())
                    ),
                )
                for s in value
            ]
        )
