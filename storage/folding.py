"""Words made comparable: however people write them, what is the same word looks the same.

Case, accents, Arabic vowel signs and stretching, and the letters that people write for each other
make no difference. What is left are letters, digits and single spaces.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping

# Letters that people write for each other and that Unicode does not take apart: Arabic's alif
# without dots, its ta marbuta and the Persian shapes of ya and kaf; Latin's joined letters.
_LIKE = str.maketrans(
    {
        "ى": "ي",
        "ی": "ي",
        "ة": "ه",
        "ٱ": "ا",
        "ک": "ك",
        "œ": "oe",
        "æ": "ae",
        "ø": "o",
        "ł": "l",
        "đ": "d",
        "ı": "i",
        # Stretches an Arabic word and says nothing.
        "ـ": None,
    }
)
# Arabic's article, with the one-letter words that are written onto it ("and the", "to the").
_ARTICLE = re.compile("^(?:[وفبك]?ال|و?لل)(?=..)")
_AND = re.compile("^و(?=...)")


def folded(text: str) -> str:
    """The same words without what people leave out or vary; nothing but letters, digits, spaces."""
    decomposed = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
    bare = "".join(
        # Eastern digits are digits.
        str(unicodedata.decimal(char, char))
        for char in decomposed.translate(_LIKE)
        # Marks, and characters that are not seen (Unicode's Mn and Cf).
        if unicodedata.category(char) not in {"Mn", "Mc", "Me", "Cf"}
    )
    return re.sub(r"[\W_]+", " ", bare).strip()


def shapes(word: str) -> Iterator[str]:
    """A folded word, and the same without an Arabic article or "and" written onto it."""
    yield word
    bare = _ARTICLE.sub("", word)
    if bare == word:
        bare = _AND.sub("", word)
    if bare != word:
        yield bare


def searchable(
    title: Mapping[str, str],
    speakers: Iterable[str],
    themes: Iterable[Mapping[str, str]],
    room: Mapping[str, str] | None,
) -> str:
    """What a session is found by: a line for each part, the words of all its languages in it.

    Every word stands between spaces, so that " word" is found where a word begins.
    """
    parts: tuple[Iterable[str], ...] = (
        title.values(),
        speakers,
        (name for theme in themes for name in theme.values()),
        room.values() if room else (),
    )
    return "\n".join(_line(part) for part in parts)


def _line(texts: Iterable[str]) -> str:
    words = [word for text in texts for word in folded(text).split()]
    # Each word once, in its order.
    return f" {' '.join(dict.fromkeys(shape for word in words for shape in shapes(word)))} "
