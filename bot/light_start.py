"""Start without what nobody needs yet: aiogram's models are built when they are first used.

As it is imported, aiogram builds a validator and a serializer for each of its 400 types, each with
all that hangs on it: half the time until the bot is up, and nearly half of its memory, of which it
uses a tenth. Its types are marked to be built when needed (`defer_build`); only the loop at the end
of `aiogram.types` builds them nonetheless, because their annotations name types that their modules
never import. So while that import lasts, a type that is to be built waits instead, and in the end
each module is given the names it speaks of. pydantic then builds a model when it is first used, as
it has always done with aiogram's methods; until then the model's `model_fields` tell the names of
types instead of types.

A later aiogram without that loop, or with another one, is imported as it is.
"""

import gc
import re
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from inspect import get_annotations
from typing import Any

from pydantic import BaseModel

TYPES = "aiogram.types."


@contextmanager
def importing_lightly() -> Iterator[None]:
    """Import aiogram so, and whatever else the block imports.

    To be entered before anything imports aiogram. The garbage collector rests in the block: classes
    are made by the thousand, and none of them is garbage.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        with _models_that_wait():
            import aiogram.types  # noqa: F401, PLC0415 - what all this is about
        yield
    finally:
        if was_on:
            gc.enable()


@contextmanager
def _models_that_wait() -> Iterator[None]:
    at_once, waiting = BaseModel.__dict__["model_rebuild"], []

    def rebuild(
        model: type[BaseModel],
        /,
        *,
        _types_namespace: Mapping[str, Any] | None = None,
        **options: Any,
    ) -> bool | None:
        if _types_namespace is not None and model.__module__.startswith(TYPES):
            waiting.append((model, _types_namespace))
            return None
        built: bool | None = at_once.__func__(model, _types_namespace=_types_namespace, **options)
        return built

    setattr(BaseModel, "model_rebuild", classmethod(rebuild))  # noqa: B010 - no type has a word for it
    try:
        yield
    finally:
        setattr(BaseModel, "model_rebuild", at_once)  # noqa: B010 - as above
        # Not before: a method whose names are known is built as it is imported.
        for model, names in waiting:
            _learn_names(model, names)


def _learn_names(model: type[BaseModel], names: Mapping[str, Any]) -> None:
    """Give the model's module the names in its annotations, also in those it inherits."""
    module = vars(sys.modules[model.__module__])
    for kind in model.__mro__:
        for annotation in get_annotations(kind).values():
            for name in re.findall(r"\w+", str(annotation)):
                if name in names:
                    module.setdefault(name, names[name])
