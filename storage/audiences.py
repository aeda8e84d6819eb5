"""Audiences: a rule that says which members are meant, as JSON, and the SQL that finds them.

    {"everyone": true}
    {"event": 3, "states": ["confirmed", ...]}    an RSVP in one of these states in any session of it
    {"session": 7, "states": [...]}               the same, in one session
    {"country": "FR"}                             ISO 3166
    {"city": "lyon"}                              however it is written (`storage/cities.py`)
    {"themes": [2, 5]}                            interested in at least one of these
    {"side": "diaspora"}  {"language": "fr"}
    {"post": 2}                                   works there, as a member of the team
    {"received": 4}                               got this announcement, or may have got it
    {"answered": 4, "answers": [0, 2]}            tapped one of these answers last; without: any
    {"unanswered": 4}                             was among its recipients, and has not answered
    {"all": [rules]}  {"any": [rules]}  {"not": rule}

Only who has registered counts, whatever the rule says. "Checked in" at an event is also who came
through the event's own door with its ticket. A rule is read anew each time: nothing in it is
trusted, and what isn't a rule is a `BadRule`.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from sqlalchemy import (
    ColumnElement,
    Exists,
    String,
    and_,
    cast,
    exists,
    literal,
    not_,
    or_,
    select,
    true,
)
from sqlalchemy.ext.compiler import compiles

from storage import cities
from storage.tables import (
    Fate,
    Member,
    MemberTheme,
    Outbox,
    Recipient,
    Rsvp,
    Seat,
    Session,
    Side,
    Ticket,
)

Rule = Mapping[str, Any]
# That the member of a row, a column, is the one we ask about, in a row that has these.
Among = Callable[..., ColumnElement[bool]]
_Word = TypeVar("_Word", Seat, Side)

# How deep rules may be nested, how many one may hold, and how many values a list of it: far beyond
# what anybody taps together, and far below what a database refuses.
DEEPEST = 8
MOST_RULES = 200
MOST_VALUES = 100
# PostgreSQL's integer, which ids are.
_LARGEST_ID = 2**31 - 1


class BadRule(ValueError):  # noqa: N818  # what it is, in the words of the house
    """What was given is no rule."""


def condition(rule: Rule, *, of_all: bool = False) -> ColumnElement[bool]:
    """The condition, in a statement about `Member`, that somebody is meant. Raises BadRule.

    `of_all`: the statement looks at all members, not at a slice of them; on SQLite it is quicker so.
    """
    check(rule)
    return and_(Member.registered_at.is_not(None), _read(rule, _Among if of_all else _one_of_these))


def check(rule: object) -> None:
    """Raise BadRule unless this is a rule, and not one that is too large or too deep."""
    if _size(rule, DEEPEST) > MOST_RULES:
        raise BadRule(f"a rule holds at most {MOST_RULES} others")


def _size(rule: object, depth: int) -> int:
    if not isinstance(rule, Mapping) or not rule:
        raise BadRule(f"not a rule: {rule!r:.80}")
    if not depth:
        raise BadRule(f"rules are nested more than {DEEPEST} deep")
    name = next((name for name in _READERS if name in rule), None)
    if name is None or not set(rule) <= {name, *_MORE.get(name, ())}:
        raise BadRule(f"not a rule: {rule!r:.80}")
    if name == "not":
        return 1 + _size(rule[name], depth - 1)
    if name in {"all", "any"}:
        rules = _several(rule[name], MOST_RULES)
        return 1 + sum(_size(one, depth - 1) for one in rules)
    _READERS[name](rule, _one_of_these)
    return 1


def _read(rule: Rule, among: Among) -> ColumnElement[bool]:
    return next(read(rule, among) for name, read in _READERS.items() if name in rule)


# --- being among ----------------------------------------------------------------------------


def _one_of_these(member: Any, *having: ColumnElement[bool]) -> Exists:
    return Exists(select(member).where(member == Member.id, *having).correlate(Member))


class _Among(Exists):
    """The same, where all members are looked at.

    PostgreSQL finds the best plan for EXISTS. SQLite would ask it of every member in turn: there the
    ids of those who are meant are gathered first, and the members found by them.
    """

    # Compiled each time: a cached one would not know the other form's values.
    inherit_cache = False

    def __init__(self, member: Any, *having: ColumnElement[bool]) -> None:
        super().__init__(select(member).where(member == Member.id, *having).correlate(Member))
        # An unknown id among them would make of "not among them" an unknown, too.
        self.ids = Member.id.in_(select(member).where(member.is_not(None), *having))


@compiles(_Among, "sqlite")
def _in(element: _Among, compiler: Any, **options: Any) -> str:
    return f"({compiler.process(element.ids, **options)})"


# --- joined rules ---------------------------------------------------------------------------


def _all(rule: Rule, among: Among) -> ColumnElement[bool]:
    return and_(*(_read(one, among) for one in rule["all"]))


def _any(rule: Rule, among: Among) -> ColumnElement[bool]:
    return or_(*(_read(one, among) for one in rule["any"]))


def _not(rule: Rule, among: Among) -> ColumnElement[bool]:
    return not_(_read(rule["not"], among))


# --- rules about the member -----------------------------------------------------------------
# Each is true or false, never unknown: NOT of an unknown would leave people out.


def _everyone(rule: Rule, _among: Among) -> ColumnElement[bool]:
    if rule["everyone"] is not True:
        raise BadRule("everyone is true, or isn't said")
    return true()


def _country(rule: Rule, _among: Among) -> ColumnElement[bool]:
    return _known(Member.country, {_text(rule["country"])})


def _city(rule: Rule, _among: Among) -> ColumnElement[bool]:
    names = cities.names_of(_text(rule["city"]))
    if "" in names:
        raise BadRule("a city has letters")
    return _known(Member.city_folded, names)


def _side(rule: Rule, _among: Among) -> ColumnElement[bool]:
    return _known(Member.side, {_one_of(Side, rule["side"])})


def _language(rule: Rule, _among: Among) -> ColumnElement[bool]:
    return _known(Member.language, {_text(rule["language"])})


def _post(rule: Rule, _among: Among) -> ColumnElement[bool]:
    return _known(Member.post_id, {_id(rule["post"])})


def _known(column: Any, values: Any) -> ColumnElement[bool]:
    return and_(column.is_not(None), column.in_(sorted(values)))


def _themes(rule: Rule, among: Among) -> ColumnElement[bool]:
    ids = [_id(one) for one in _several(rule["themes"], MOST_VALUES)]
    return among(MemberTheme.member_id, MemberTheme.theme_id.in_(ids))


# --- rules about seats ----------------------------------------------------------------------


def _event(rule: Rule, among: Among) -> ColumnElement[bool]:
    event, states = _id(rule["event"]), _states(rule)
    rsvp = among(
        Rsvp.member_id,
        Rsvp.state.in_(states),
        Rsvp.session_id == Session.id,
        Session.event_id == event,
    )
    if Seat.CHECKED_IN not in states:
        return rsvp
    at_the_door = among(
        Ticket.member_id,
        Ticket.event_id == event,
        Ticket.session_id.is_(None),
        Ticket.used_at.is_not(None),
    )
    return or_(rsvp, at_the_door)


def _session(rule: Rule, among: Among) -> ColumnElement[bool]:
    session = Rsvp.session_id == _id(rule["session"])
    return among(Rsvp.member_id, session, Rsvp.state.in_(_states(rule)))


def _states(rule: Rule) -> list[Seat]:
    return [_one_of(Seat, one) for one in _several(rule.get("states"), len(Seat))]


# --- rules about announcements --------------------------------------------------------------


def _received(rule: Rule, among: Among) -> ColumnElement[bool]:
    announcement = _id(rule["received"])
    reached = (Fate.SENT, Fate.UNKNOWN)
    key = literal(f"announcement:{announcement}:") + cast(Recipient.member_id, String)
    # What is not settled yet in its account, the outbox knows.
    on_its_way = exists().where(Outbox.key == key, Outbox.state.in_(reached))
    return _recipient(
        among,
        announcement,
        or_(
            Recipient.outcome.in_([fate.value for fate in reached]),
            and_(Recipient.outcome.is_(None), on_its_way),
        ),
    )


def _answered(rule: Rule, among: Among) -> ColumnElement[bool]:
    answer: ColumnElement[bool] = Recipient.answer.is_not(None)
    if "answers" in rule:
        wanted = [_number(one) for one in _several(rule["answers"], MOST_VALUES)]
        answer = Recipient.answer.in_(wanted)
    return _recipient(among, rule["answered"], answer)


def _unanswered(rule: Rule, among: Among) -> ColumnElement[bool]:
    return _recipient(among, rule["unanswered"], Recipient.answer.is_(None))


def _recipient(
    among: Among, announcement: object, having: ColumnElement[bool]
) -> ColumnElement[bool]:
    return among(Recipient.member_id, Recipient.announcement_id == _id(announcement), having)


# --- values ---------------------------------------------------------------------------------


def _id(value: object) -> int:
    if type(value) is not int or not 0 < value <= _LARGEST_ID:
        raise BadRule(f"not an id: {value!r:.80}")
    return value


def _number(value: object) -> int:
    if type(value) is not int or not 0 <= value <= MOST_VALUES:
        raise BadRule(f"not the number of an answer: {value!r:.80}")
    return value


def _text(value: object) -> str:
    if not isinstance(value, str) or not 0 < len(value) <= cities.LENGTH or "\0" in value:
        raise BadRule(f"not a name: {value!r:.80}")
    return value


def _several(value: object, most: int) -> Sequence[Any]:
    if not isinstance(value, list) or not 1 <= len(value) <= most:
        raise BadRule(f"not a list of 1 to {most}: {value!r:.80}")
    return value


def _one_of(kind: type[_Word], value: Any) -> _Word:
    try:
        return kind(value)
    except ValueError:
        raise BadRule(f"no {kind.__name__.lower()}: {value!r:.80}") from None


_READERS: dict[str, Callable[[Rule, Among], ColumnElement[bool]]] = {
    "everyone": _everyone,
    "event": _event,
    "session": _session,
    "country": _country,
    "city": _city,
    "themes": _themes,
    "side": _side,
    "language": _language,
    "post": _post,
    "received": _received,
    "answered": _answered,
    "unanswered": _unanswered,
    "all": _all,
    "any": _any,
    "not": _not,
}
# What stands beside a rule's name.
_MORE = {"event": ("states",), "session": ("states",), "answered": ("answers",)}
