"""An audience as it is put together: parts that must all be true, and those who are left out.

    {"all": [area, part, part, {"not": part}]}

Several of a kind in one part are alternatives ("Lyon or Paris"). The area of who puts it together
stands first and stays: it is part of the rule itself, so that whoever reads the rule is bound by it.
"""

from collections.abc import Sequence
from typing import Any

from storage.audiences import Rule

Part = dict[str, Any]

# Countries and cities are one kind: "in Lyon or in Belgium".
_KINDS = {"country": "place", "city": "place", "session": "seat", "event": "seat"}


def parts_of(rule: Rule | None, area: Rule | None) -> list[Part]:
    """The parts of a rule, without the area."""
    if rule is None:
        return []
    parts = [dict(one) for one in rule["all"]] if "all" in rule else [dict(rule)]
    return [part for part in parts if part != area]


def rule_of(parts: Sequence[Part], area: Rule | None) -> Part | None:
    """The rule of these parts within the area; None: nobody is chosen yet."""
    if not parts:
        return None
    within = [*([dict(area)] if area is not None else []), *parts]
    return within[0] if len(within) == 1 else {"all": within}


def toggled(parts: Sequence[Part], leaf: Part, *, but: bool) -> list[Part]:
    """Add a condition, as an alternative to others of its kind; or take it out if it is there.

    `but`: those whom it means are left out.
    """
    if "everyone" in leaf:
        # Everybody: no other condition is left but who is left out.
        return [leaf, *(part for part in parts if "not" in part)]
    kept, found = [], False
    for part in parts:
        inner = part.get("not", part)
        if "everyone" in part or ("not" in part) != but or kind_of(inner) != kind_of(leaf):
            if "everyone" not in part or but:
                kept.append(part)
            continue
        found = True
        if (changed := _alternated(inner, leaf)) is not None:
            kept.append({"not": changed} if but else changed)
    if not found:
        kept.append({"not": leaf} if but else leaf)
    # First whom it means, then whom it leaves out.
    return sorted(kept, key=lambda part: "not" in part)


def holds(parts: Sequence[Part], leaf: Part, *, but: bool) -> bool:
    """Whether a condition is in already."""
    for part in parts:
        if ("not" in part) == but:
            inner = part["not"] if but else part
            if "themes" in leaf and "themes" in inner:
                return set(leaf["themes"]) <= set(inner["themes"])
            if leaf in alternatives(inner):
                return True
    return False


def alternatives(part: Part) -> list[Part]:
    """The conditions of a part, of which one must be true."""
    return list(part["any"]) if "any" in part else [part]


def kind_of(part: Part) -> str:
    """What a part is about. Conditions of one kind are alternatives."""
    first = alternatives(part)[0]
    name = next(iter(first))
    return _KINDS.get(name, name)


def _alternated(part: Part, leaf: Part) -> Part | None:
    if "themes" in leaf and "themes" in part:
        themes = sorted(set(part["themes"]) ^ set(leaf["themes"]))
        return {"themes": themes} if themes else None
    all_ = alternatives(part)
    others = [one for one in all_ if one != leaf] if leaf in all_ else [*all_, leaf]
    if not others:
        return None
    return others[0] if len(others) == 1 else {"any": others}
