"""What the world keeps of inline mode: questions, their answers, and what was posted of them."""

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Choice:
    """One answer that a person may post."""

    id: str
    title: str
    description: str
    content: dict[str, Any]


@dataclass(slots=True)
class Question:
    """What somebody typed after the bot's name. `choices` is None until it is answered."""

    id: str
    user_id: int
    query: str
    choices: list[Choice] | None = None


@dataclass(slots=True)
class Inline:
    """All questions, and where the messages posted by them stand."""

    # As BotFather's /setinline and /setinlinefeedback have it.
    enabled: bool = True
    feedback: bool = True
    questions: dict[str, Question] = field(default_factory=dict)
    posted: dict[str, tuple[int, int]] = field(default_factory=dict)

    def id_of(self, chat_id: int, message_id: int) -> str | None:
        """The inline_message_id of a message; None if it wasn't posted by inline mode."""
        place = (chat_id, message_id)
        return next((id_ for id_, there in self.posted.items() if there == place), None)
