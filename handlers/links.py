"""Links that lead into a chat with the bot, and the taps that share them.

Who we are in links is known once the messenger has told us; until then nothing can be shared, and
letters do without.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import urlencode

from handlers.letters import Tap
from handlers.words import Catalogs, Words, shortened

# Of a title, what a shared link says; far below what an address may hold.
_LONGEST = 100


@dataclass(slots=True)
class Links:
    """What the messenger told of the bot. `inline`: it may be asked from any chat."""

    username: str = ""
    inline: bool = False
    asked: bool = False
    # The address that counts who opens the link of an announcement, and leads on to it; none where
    # nobody can reach us. By the ids of announcement and member.
    counted: Callable[[int, int], str] | None = None
    # Where our own pages are read, without a slash at the end; empty where they are not.
    pages: str = ""

    def to(self, door: str) -> str | None:
        """The deep link that knocks at this door: an event's short name, or `s_` and a session.

        Bot API, "Deep linking": at most 64 of A-Z, a-z, 0-9, _ and -.
        """
        return f"https://t.me/{self.username}?start={door}" if self.username else None

    def page(self, path: str) -> str | None:
        """The address of one of our own pages, where they can be read."""
        return f"{self.pages}/{path}" if self.pages else None

    def share(self, words: Words, door: str, title: str) -> tuple[Tap, ...]:
        """The tap that shares what is behind a door; none while we don't know who we are.

        Where the bot may be asked from any chat, a card is posted that keeps telling the free
        seats; else a link with its title.
        """
        url = self.to(door)
        if url is None:
            return ()
        if self.inline:
            return (Tap(words.label("Share"), query=door),)
        return (Tap(words.label("Share"), url=_sharing(url, title)),)


@lru_cache(maxsize=1_000)
def _sharing(url: str, title: str) -> str:
    """The address that shares this link with its title; of few cards, asked for with each of them."""
    told = urlencode({"url": url, "text": shortened(title, _LONGEST)})
    return f"https://t.me/share/url?{told}"


def dead_end(catalogs: Catalogs) -> str:
    """What stands, in each language, where a link leads nowhere: its reader is not known."""
    return "\n".join(
        words.label("This link leads nowhere any more.") for words in catalogs.values()
    )
