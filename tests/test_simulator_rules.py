"""What the simulated server refuses, in Telegram's words, and how it reads Telegram's HTML."""

from datetime import UTC, datetime

import aiohttp
import pytest

from bot.simulator import Simulator
from bot.simulator.errors import ApiError
from bot.simulator.markup import as_html, parse_html, units
from bot.simulator.rules import found_entities

AMAL, BLOCKED, GONE, STRANGER = 101, 102, 103, 104
LETTER, CARD = 1, 2


@pytest.fixture
async def call():
    """Call a method over HTTP in a small town: a text, a file, and four sorts of people."""
    sim = Simulator(now=lambda: datetime(2026, 11, 24, tzinfo=UTC))
    sim.person("Amal", id=AMAL)
    sim.person("Bilal", id=BLOCKED).blocks()
    sim.person("Gone", id=GONE).deactivated = True
    sim.person("Stranger", id=STRANGER, started=False)
    async with sim.serve() as url, aiohttp.ClientSession() as http:

        async def post(method, **values):
            async with http.post(f"{url}/bot{sim.token}/{method}", json=values) as answer:
                body = await answer.json()
                assert body["ok"] == (answer.status == 200)
                return body["result"] if body["ok"] else (answer.status, body["description"])

        amal = sim.people[AMAL]
        await post("sendMessage", chat_id=AMAL, text="Salut", reply_markup=keys(data("Oui")))
        amal.sends_document("cv.pdf", b"%PDF")
        yield post


def keys(*buttons):
    return {"inline_keyboard": [list(buttons)]}


def data(text, value="x"):
    return {"text": text, "callback_data": value}


def link(url):
    return keys({"text": "Lien", "url": url})


NOT_MODIFIED = (
    "Bad Request: message is not modified: specified new message content and reply markup are "
    "exactly the same as a current content and reply markup of the message"
)
TOO_OLD = "Bad Request: query is too old and response timeout expired or query ID is invalid"
BUTTON = "Bad Request: can't parse inline keyboard button: "
URL = "Bad Request: inline keyboard button URL "

TO_AMAL = {"chat_id": AMAL, "text": "Salut"}
REFUSALS = [
    ("sendMessage", {"chat_id": AMAL}, 400, "Bad Request: message text is empty"),
    ("sendMessage", {"chat_id": AMAL, "text": ""}, 400, "Bad Request: message text is empty"),
    ("sendMessage", {"chat_id": AMAL, "text": " \n "}, 400, "Bad Request: text must be non-empty"),
    ("sendMessage", {"chat_id": AMAL, "text": "x" * 4097}, 400, "Bad Request: message is too long"),
    (
        "sendMessage",
        {"chat_id": AMAL, "text": "🎉" * 2049},
        400,
        "Bad Request: message is too long",
    ),
    ("sendMessage", {"text": "Salut"}, 400, "Bad Request: chat_id is empty"),
    ("sendMessage", {"chat_id": 1, "text": "Salut"}, 400, "Bad Request: chat not found"),
    ("sendMessage", {"chat_id": "@nobody", "text": "Salut"}, 400, "Bad Request: chat not found"),
    (
        "sendMessage",
        {"chat_id": BLOCKED, "text": "Salut"},
        403,
        "Forbidden: bot was blocked by the user",
    ),
    ("sendMessage", {"chat_id": GONE, "text": "Salut"}, 403, "Forbidden: user is deactivated"),
    (
        "sendMessage",
        {"chat_id": STRANGER, "text": "Salut"},
        403,
        "Forbidden: bot can't initiate conversation with a user",
    ),
    ("sendMessage", TO_AMAL | {"parse_mode": "bbcode"}, 400, "Bad Request: unsupported parse_mode"),
    (
        "sendMessage",
        TO_AMAL | {"entities": [{"type": "bold", "offset": 9, "length": 1}]},
        400,
        "Bad Request: entity begins after the end of the text at UTF-16 offset 9",
    ),
    (
        "sendMessage",
        TO_AMAL | {"reply_parameters": {"message_id": 99}},
        400,
        "Bad Request: message to be replied not found",
    ),
    (
        "sendMessage",
        TO_AMAL | {"reply_markup": keys(data("x", "é" * 33))},
        400,
        "Bad Request: BUTTON_DATA_INVALID",
    ),
    (
        "sendMessage",
        TO_AMAL | {"reply_markup": keys({"text": "x"})},
        400,
        BUTTON + "Text buttons are unallowed in the inline keyboard",
    ),
    (
        "sendMessage",
        TO_AMAL | {"reply_markup": keys(data("x", ""))},
        400,
        BUTTON + "Text buttons are unallowed in the inline keyboard",
    ),
    (
        "sendMessage",
        TO_AMAL | {"reply_markup": keys(data("x") | {"url": "https://a.org"})},
        400,
        BUTTON + "Exactly one of the optional fields must be used",
    ),
    (
        "sendMessage",
        TO_AMAL | {"reply_markup": keys({"callback_data": "x"})},
        400,
        BUTTON + 'Can\'t find field "text"',
    ),
    (
        "sendMessage",
        TO_AMAL | {"reply_markup": keys(data(" "))},
        400,
        "Bad Request: inline keyboard button text must be non-empty",
    ),
    (
        "sendMessage",
        TO_AMAL | {"reply_markup": link("not-a-url")},
        400,
        URL + "'not-a-url' is invalid: Wrong HTTP URL",
    ),
    (
        "sendMessage",
        TO_AMAL | {"reply_markup": link("http://localhost:8080/")},
        400,
        URL + "'http://localhost:8080/' is invalid: Wrong HTTP URL",
    ),
    (
        "sendMessage",
        TO_AMAL | {"reply_markup": link("ftp://a.org")},
        400,
        URL + "'ftp://a.org' is invalid: Unsupported URL protocol",
    ),
    (
        "sendMessage",
        TO_AMAL | {"reply_markup": keys(*[data("x")] * 9)},
        400,
        "Bad Request: reply markup is too long",
    ),
    (
        "sendMessage",
        TO_AMAL | {"reply_markup": {"inline_keyboard": [[data("x")]] * 101}},
        400,
        "Bad Request: reply markup is too long",
    ),
    (
        "sendMessage",
        TO_AMAL | {"reply_markup": {"inline_keyboard": "x"}},
        400,
        'Bad Request: field "inline_keyboard" must be of type Array',
    ),
    (
        "sendMessage",
        TO_AMAL | {"reply_markup": keys(data("x") | {"style": "pink"})},
        400,
        "Bad Request: BUTTON_STYLE_INVALID",
    ),
    (
        "sendDocument",
        {"chat_id": AMAL, "document": "SIMD000001", "caption": "x" * 1025},
        400,
        "Bad Request: message caption is too long",
    ),
    ("sendDocument", {"chat_id": AMAL}, 400, "Bad Request: there is no document in the request"),
    (
        "sendDocument",
        {"chat_id": AMAL, "document": "x"},
        400,
        "Bad Request: wrong file identifier/HTTP URL specified",
    ),
    (
        "sendPhoto",
        {"chat_id": AMAL, "photo": "https://a.org/a.png"},
        400,
        "Bad Request: failed to get HTTP URL content",
    ),
    (
        "editMessageText",
        {"chat_id": AMAL, "message_id": LETTER, "text": "Salut", "reply_markup": keys(data("Oui"))},
        400,
        NOT_MODIFIED,
    ),
    (
        "editMessageReplyMarkup",
        {"chat_id": AMAL, "message_id": LETTER, "reply_markup": keys(data("Oui"))},
        400,
        NOT_MODIFIED,
    ),
    (
        "editMessageText",
        {"chat_id": AMAL, "message_id": 99, "text": "Salut"},
        400,
        "Bad Request: message to edit not found",
    ),
    (
        "editMessageText",
        {"chat_id": AMAL, "message_id": CARD, "text": "Salut"},
        400,
        "Bad Request: message can't be edited",
    ),
    (
        "editMessageCaption",
        {"chat_id": AMAL, "message_id": LETTER, "caption": "Salut"},
        400,
        "Bad Request: there is no caption in the message to edit",
    ),
    (
        "editMessageReplyMarkup",
        {"chat_id": AMAL, "message_id": LETTER, "reply_markup": {"force_reply": True}},
        400,
        "Bad Request: inline keyboard expected",
    ),
    (
        "deleteMessage",
        {"chat_id": AMAL, "message_id": 99},
        400,
        "Bad Request: message to delete not found",
    ),
    ("answerCallbackQuery", {"callback_query_id": "1"}, 400, TOO_OLD),
    (
        "sendChatAction",
        {"chat_id": AMAL, "action": "singing"},
        400,
        "Bad Request: wrong parameter action in request",
    ),
    ("getFile", {"file_id": "x"}, 400, "Bad Request: invalid file_id"),
    ("getChat", {"chat_id": 1}, 400, "Bad Request: chat not found"),
    (
        "setMyCommands",
        {"commands": [{"command": "Aide", "description": "x"}]},
        400,
        "Bad Request: BOT_COMMAND_INVALID",
    ),
    ("setMyName", {"name": "x" * 65}, 400, "Bad Request: BOT_NAME_INVALID"),
    (
        "setMyName",
        {"name": "x", "language_code": "fr-FR"},
        400,
        "Bad Request: invalid language_code specified",
    ),
    ("logOut", {}, 400, "Bad Request: method is unavailable on the simulated server"),
]


@pytest.mark.parametrize(("method", "values", "code", "words"), REFUSALS)
async def test_a_refusal_is_in_telegrams_words(call, method, values, code, words):
    assert await call(method, **values) == (code, words)


@pytest.mark.parametrize(
    "values",
    [
        {"text": "x" * 4096},
        {"text": "🎉" * 2048},
        {"text": "<b>" + "x" * 4096 + "</b>", "parse_mode": "HTML"},
        {"text": "x", "reply_markup": {"inline_keyboard": [[data("x", "é" * 32)] * 8] * 12}},
        {"text": "x", "reply_markup": keys({"text": "fermé", "disabled": {}})},
        {"text": "x", "reply_parameters": {"message_id": 99, "allow_sending_without_reply": True}},
    ],
)
async def test_the_very_limit_is_allowed(call, values):
    assert (await call("sendMessage", chat_id=AMAL, **values))["message_id"] == 3


async def test_an_edit_of_the_buttons_alone_does_not_mark_the_message_edited(call):
    where = {"chat_id": AMAL, "message_id": LETTER}
    changed = await call("editMessageReplyMarkup", **where, reply_markup=keys(data("Non")))
    assert (changed["reply_markup"], "edit_date" in changed) == (keys(data("Non")), False)
    emptied = await call("editMessageText", **where, text="Bonsoir")
    assert ("reply_markup" in emptied, emptied["edit_date"]) == (False, emptied["date"])


def entity(kind, offset, length, **more):
    return {"type": kind, "offset": offset, "length": length, **more}


@pytest.mark.parametrize(
    ("source", "text", "entities"),
    [
        ("plain &lt;b&gt; &amp; &quot;", 'plain <b> & "', []),
        ("&#9786;&#x1F600;&nbsp;&eacute;", "☺😀&nbsp;&eacute;", []),
        ("<b>a</b><strong>b</strong>", "ab", [entity("bold", 0, 1), entity("bold", 1, 1)]),
        ("<i>a</i><em>b</em>", "ab", [entity("italic", 0, 1), entity("italic", 1, 1)]),
        ("<u>a</u><ins>b</ins>", "ab", [entity("underline", 0, 1), entity("underline", 1, 1)]),
        (
            "<s>a</s><strike>b</strike><del>c</del>",
            "abc",
            [entity("strikethrough", at, 1) for at in range(3)],
        ),
        (
            '<span class="tg-spoiler">a</span><tg-spoiler>b</tg-spoiler>',
            "ab",
            [entity("spoiler", 0, 1), entity("spoiler", 1, 1)],
        ),
        # An emoji beyond the basic plane is two units, an Arabic letter one.
        ("👋🏽 <b>أمل</b>", "👋🏽 أمل", [entity("bold", 5, 3)]),
        ("🎉<b>🎉<i>é</i></b>", "🎉🎉é", [entity("bold", 2, 3), entity("italic", 4, 1)]),
        (
            '<a href="https://a.org/?a=1&amp;b=2">x</a>',
            "x",
            [entity("text_link", 0, 1, url="https://a.org/?a=1&b=2")],
        ),
        ("<a href='tg://user?id=7'>x</a>", "x", [entity("text_link", 0, 1, url="tg://user?id=7")]),
        ('<a href="nowhere">x</a>', "x", []),
        ("<code>a</code>", "a", [entity("code", 0, 1)]),
        ('<code class="language-py">a</code>', "a", [entity("code", 0, 1)]),
        ("<pre>a</pre>", "a", [entity("pre", 0, 1)]),
        (
            '<pre><code class="language-py">a</code></pre>',
            "a",
            [entity("pre", 0, 1, language="py")],
        ),
        ("<blockquote>a</blockquote>", "a", [entity("blockquote", 0, 1)]),
        ("<blockquote expandable>a</blockquote>", "a", [entity("expandable_blockquote", 0, 1)]),
        (
            '<tg-emoji emoji-id="5368324170671202286">👍</tg-emoji>',
            "👍",
            [entity("custom_emoji", 0, 2, custom_emoji_id="5368324170671202286")],
        ),
        (
            '<tg-time unix="1795532400" format="wDT">mardi</tg-time>',
            "mardi",
            [entity("date_time", 0, 5, unix_time=1795532400, date_time_format="wDT")],
        ),
        (
            '<tg-time unix="1795532400">mardi</tg-time>',
            "mardi",
            [entity("date_time", 0, 5, unix_time=1795532400)],
        ),
        ("<b></b>a", "a", []),
        ("<B>a</B >", "a", [entity("bold", 0, 1)]),
    ],
)
def test_html_becomes_text_and_entities(source, text, entities):
    assert parse_html(source) == (text, entities)


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("<x>a</x>", 'Unsupported start tag "x" at byte offset 0'),
        ("é <br>", 'Unsupported start tag "br" at byte offset 3'),
        ("3 < 4", 'Unsupported start tag "" at byte offset 2'),
        ("<b>a", 'Can\'t find end tag corresponding to start tag "b"'),
        ("a</b>", "Unexpected end tag at byte offset 1"),
        (
            "<b><i>a</b></i>",
            'Unmatched end tag at byte offset 7, expected "</i>", found "</b>"',
        ),
        ("a <b", "Unclosed start tag at byte offset 2"),
        ('<a href="x', "Unclosed start tag at byte offset 0"),
        ("<b>a</b", "Unclosed end tag at byte offset 4"),
        ("<span>a</span>", 'Tag "span" must have class "tg-spoiler" at byte offset 0'),
        ('<tg-emoji emoji-id="x">a</tg-emoji>', "Invalid custom emoji identifier specified"),
        ('<tg-time unix="demain">a</tg-time>', "Invalid unix time specified"),
        ('<tg-time unix="1" format="Dw">a</tg-time>', "Invalid date-time format specified"),
    ],
)
def test_html_is_refused_in_telegrams_words(source, words):
    with pytest.raises(ApiError) as refusal:
        parse_html(source)
    assert refusal.value.description == f"Bad Request: can't parse entities: {words}"


@pytest.mark.parametrize(
    "source",
    [
        "a &lt; b &amp; c",
        "<b>🎉 <i>é</i></b> <u>أمل</u>",
        '<a href="https://a.org/?a=1&amp;b=2">x</a> <tg-spoiler>y</tg-spoiler>',
        '<blockquote expandable>x</blockquote><pre><code class="language-py">y</code></pre>',
        '<tg-time unix="1" format="r">x</tg-time><tg-emoji emoji-id="5">👍</tg-emoji>',
    ],
)
def test_text_and_entities_become_html_again(source):
    assert as_html(*parse_html(source)) == source


def test_units_count_as_utf16():
    assert [units(text) for text in ("", "é", "أمل", "🎉", "👋🏽")] == [0, 1, 3, 2, 4]


def test_links_commands_and_mentions_are_found():
    text = "🎉 /start voir https://a.org/x?y=1, t.me/JisrBot @amal_i #rabat a@b.org et/ou 1/2"
    found = [(e["type"], text_of(text, e)) for e in found_entities(text)]
    assert found == [
        ("bot_command", "/start"),
        ("url", "https://a.org/x?y=1"),
        ("url", "t.me/JisrBot"),
        ("mention", "@amal_i"),
        ("hashtag", "#rabat"),
        ("email", "a@b.org"),
    ]


def text_of(text, found):
    start, end = found["offset"] * 2, (found["offset"] + found["length"]) * 2
    return text.encode("utf-16-le")[start:end].decode("utf-16-le")


async def test_white_space_around_a_text_is_cut_and_entities_move(call):
    sent = await call(
        "sendMessage", chat_id=AMAL, text="\n  Salut <b>Amal \n</b> ", parse_mode="HTML"
    )
    assert (sent["text"], sent["entities"]) == ("Salut Amal", [entity("bold", 6, 4)])
