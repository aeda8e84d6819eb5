"""Telegram's HTML: from `<b>Salut</b>` to a text and its entities, and back.

Entities count in UTF-16 code units, errors in UTF-8 bytes, as Telegram does. It is no HTML parser:
it knows a few tags, wants them closed in order, and four named references.
Source: Bot API, "HTML style"; the error words are those of the public server.
"""

import html
import re
from dataclasses import dataclass
from typing import Any

from bot.simulator.errors import ApiError, bad_request

Entity = dict[str, Any]

_KINDS = {
    "b": "bold",
    "strong": "bold",
    "i": "italic",
    "em": "italic",
    "u": "underline",
    "ins": "underline",
    "s": "strikethrough",
    "strike": "strikethrough",
    "del": "strikethrough",
    "span": "spoiler",
    "tg-spoiler": "spoiler",
    "a": "text_link",
    "code": "code",
    "pre": "pre",
    "blockquote": "blockquote",
    "tg-emoji": "custom_emoji",
    "tg-time": "date_time",
}
_REFERENCE = re.compile(r"&(?:#[xX]([0-9a-fA-F]+)|#([0-9]+)|(lt|gt|amp|quot));?")
_NAMED = {"lt": "<", "gt": ">", "amp": "&", "quot": '"'}
_ATTRIBUTE = re.compile(r"""\s*([^\s=>]+)(?:\s*=\s*(?:"([^"]*)"|'([^']*)'|([\w.-]*)))?""")
_LAST_CODE_POINT = 0x10FFFF


@dataclass(frozen=True, slots=True)
class _Open:
    """A tag that waits for its end."""

    tag: str
    attributes: dict[str, str]
    offset: int
    start: int


def units(text: str) -> int:
    """Count UTF-16 code units: an emoji beyond the basic plane counts two."""
    return len(text) + sum(char > "\uffff" for char in text)


def parse_html(source: str) -> tuple[str, list[Entity]]:
    """Split HTML into a plain text and its entities, or refuse it in Telegram's words."""
    text: list[str] = []
    offset = 0
    entities: list[Entity] = []
    waiting: list[_Open] = []
    at = 0
    while at < len(source):
        if source[at] != "<":
            piece, at = _plain(source, at)
            text.append(piece)
            offset += units(piece)
        elif source.startswith("</", at):
            tag, at = _end_tag(source, at, waiting)
            if offset > tag.offset:
                entities += _entity(tag, "".join(text[tag.start :]), offset, entities)
        else:
            name, attributes, at = _start_tag(source, at)
            waiting.append(_Open(name, attributes, offset, len(text)))
    if waiting:
        raise _unparsed(f'Can\'t find end tag corresponding to start tag "{waiting[-1].tag}"')
    for entity in entities:
        if entity["type"] == "code":
            entity.pop("language", None)
    return "".join(text), sorted(entities, key=lambda e: (e["offset"], -e["length"]))


def as_html(text: str, entities: tuple[Entity, ...] | list[Entity]) -> str:
    """Write a text and its entities as HTML again; links that Telegram found stay plain."""
    raw = text.encode("utf-16-le")

    def span(start: int, end: int, inside: list[Entity]) -> str:
        written = []
        while inside:
            entity, inside = inside[0], inside[1:]
            stop = entity["offset"] + entity["length"]
            nested = [other for other in inside if other["offset"] < stop]
            inside = inside[len(nested) :]
            written.append(html.escape(raw[start * 2 : entity["offset"] * 2].decode("utf-16-le")))
            opening, closing = _tags(entity)
            written.append(opening + span(entity["offset"], stop, nested) + closing)
            start = stop
        written.append(html.escape(raw[start * 2 : end * 2].decode("utf-16-le")))
        return "".join(written)

    ordered = sorted(entities, key=lambda e: (e["offset"], -e["length"]))
    return span(0, len(raw) // 2, ordered)


def _tags(entity: Entity) -> tuple[str, str]:
    kind = entity["type"]
    if kind == "text_link":
        return f'<a href="{html.escape(entity["url"])}">', "</a>"
    if kind == "date_time":
        form = entity.get("date_time_format")
        form = f' format="{form}"' if form else ""
        return f'<tg-time unix="{entity["unix_time"]}"{form}>', "</tg-time>"
    if kind == "custom_emoji":
        return f'<tg-emoji emoji-id="{entity["custom_emoji_id"]}">', "</tg-emoji>"
    if kind == "expandable_blockquote":
        return "<blockquote expandable>", "</blockquote>"
    if kind == "pre" and "language" in entity:
        return f'<pre><code class="language-{entity["language"]}">', "</code></pre>"
    short = {"bold": "b", "italic": "i", "underline": "u", "strikethrough": "s"}
    tag = short.get(kind, "tg-spoiler" if kind == "spoiler" else kind)
    return (f"<{tag}>", f"</{tag}>") if tag in _KINDS else ("", "")


def _unparsed(words: str) -> ApiError:
    return bad_request(f"can't parse entities: {words}")


def _byte(source: str, at: int) -> str:
    return f"at byte offset {len(source[:at].encode())}"


def _decode(reference: re.Match[str]) -> str:
    """Turn a reference into its character; what Telegram does not know stays as typed."""
    hexadecimal, decimal, name = reference.groups()
    if name:
        return _NAMED[name]
    code = int(hexadecimal, 16) if hexadecimal else int(decimal)
    surrogate = 0xD800 <= code <= 0xDFFF  # noqa: PLR2004 - the surrogate range of Unicode
    return reference[0] if code == 0 or surrogate or code > _LAST_CODE_POINT else chr(code)


def _plain(source: str, at: int) -> tuple[str, int]:
    """Read up to the next tag."""
    end = source.find("<", at)
    end = len(source) if end < 0 else end
    return _REFERENCE.sub(_decode, source[at:end]), end


def _start_tag(source: str, at: int) -> tuple[str, dict[str, str], int]:
    """Read `<tag attribute="value">`; return name, attributes and the place behind it."""
    opening = re.compile(r"<([^\s>]*)").match(source, at)
    where = _byte(source, at)
    if opening is None or opening.end() == len(source):
        raise _unparsed(f"Unclosed start tag {where}")
    name = opening[1].lower()
    if name not in _KINDS:
        raise _unparsed(f'Unsupported start tag "{name}" {where}')
    attributes: dict[str, str] = {}
    cursor = opening.end()
    while not (closing := re.compile(r"\s*>").match(source, cursor)):
        attribute = _ATTRIBUTE.match(source, cursor)
        if attribute is None:
            if source[cursor:].strip():
                raise _unparsed(f'Empty attribute name in the tag "{name}" {where}')
            raise _unparsed(f"Unclosed start tag {where}")
        key, *values = attribute.groups()
        if values[2] is not None and source[attribute.end() : attribute.end() + 1] in ('"', "'"):
            raise _unparsed(f"Unclosed start tag {where}")
        value = next((value for value in values if value is not None), "")
        attributes[key] = _REFERENCE.sub(_decode, value)
        cursor = attribute.end()
    if name == "span" and attributes.get("class") != "tg-spoiler":
        raise _unparsed(f'Tag "span" must have class "tg-spoiler" {where}')
    return name, attributes, closing.end()


def _end_tag(source: str, at: int, waiting: list[_Open]) -> tuple[_Open, int]:
    """Read `</tag>`, which must end the innermost tag; return that and the place behind it."""
    where = _byte(source, at)
    if not waiting:
        raise _unparsed(f"Unexpected end tag {where}")
    closing = re.compile(r"</([^\s>]*)\s*>").match(source, at)
    if closing is None:
        raise _unparsed(f"Unclosed end tag {where}")
    opened = waiting.pop()
    if closing[1] and closing[1].lower() != opened.tag:
        raise _unparsed(
            f'Unmatched end tag {where}, expected "</{opened.tag}>", found "</{closing[1]}>"',
        )
    return opened, closing.end()


def _entity(tag: _Open, inside: str, end: int, before: list[Entity]) -> list[Entity]:
    """Say what a closed tag means; `before` are the entities that were closed already."""
    entity: Entity = {"type": _KINDS[tag.tag], "offset": tag.offset, "length": end - tag.offset}
    match tag.tag:
        case "a":
            return _link(entity, tag.attributes.get("href") or inside)
        case "code" | "pre":
            return _code(entity, tag.attributes.get("class", ""), before)
        case "blockquote" if "expandable" in tag.attributes:
            entity["type"] = "expandable_blockquote"
        case "tg-emoji":
            number = tag.attributes.get("emoji-id", "")
            if not number.isdecimal() or not 0 < int(number) < 2**63:
                raise _unparsed("Invalid custom emoji identifier specified")
            entity["custom_emoji_id"] = number
        case "tg-time":
            entity |= _moment(tag.attributes)
    return [entity]


def _link(entity: Entity, url: str) -> list[Entity]:
    """Point somewhere. A link that Telegram cannot open becomes plain text."""
    if re.match(r"(https?|tg|ton|tonsite)://", url):
        return [entity | {"url": url}]
    if re.match(r"[\w-]+(\.[\w-]+)+(/|$)", url):
        return [entity | {"url": f"http://{url}"}]
    return []


def _code(entity: Entity, css_class: str, before: list[Entity]) -> list[Entity]:
    """Tell code in a line from a block; `<pre><code class="language-...">` is one entity."""
    if css_class.startswith("language-"):
        entity["language"] = css_class.removeprefix("language-")
    twin = before[-1] if before else {}
    for key in ("offset", "length"):
        if twin.get(key) != entity[key]:
            return [entity]
    if {twin["type"], entity["type"]} == {"code", "pre"} and "language" in (twin | entity):
        twin |= {"type": "pre", "language": (twin | entity)["language"]}
        return []
    return [entity]


def _moment(attributes: dict[str, str]) -> Entity:
    """Read a `<tg-time>`. Source: Bot API, "Date-time entity formatting"."""
    moment, form = attributes.get("unix", ""), attributes.get("format", "")
    if not re.fullmatch(r"-?\d+", moment):
        raise _unparsed("Invalid unix time specified")
    if not re.fullmatch(r"r|w?[dD]?[tT]?", form):
        raise _unparsed("Invalid date-time format specified")
    return {"unix_time": int(moment)} | ({"date_time_format": form} if form else {})
