"""aiogram imported lightly: the same models, built when they are first used."""

import json
import subprocess
import sys

import pytest

LIGHTLY = "from bot.light_start import importing_lightly\nwith importing_lightly(): pass"
AS_IT_IS = "import aiogram"

EVERY_MODEL = """
import json, re
from aiogram import methods, types
models = {}
for module in (types, methods):
    for name in module.__all__:
        model = getattr(module, name)
        if hasattr(model, "model_rebuild"):
            model.model_rebuild()
            assert model.__pydantic_complete__, name
            models[name] = {
                field: re.sub("0x[0-9a-f]+", "", repr(info))
                for field, info in model.model_fields.items()
            }
print(json.dumps(models))
"""

BUILT_AFTER_AN_UPDATE = """
import gc
from aiogram import types
assert gc.isenabled()
chat = {"id": 7, "type": "private"}
said = {"message_id": 1, "date": 0, "chat": chat, "text": "Hi"}
update = types.Update.model_validate({"update_id": 1, "message": said})
assert update.message.text == "Hi"
print(*(
    name for name in types.__all__
    if getattr(getattr(types, name), "__pydantic_complete__", False)
))
"""


def printed(*programme: str) -> str:
    """What a process of its own prints, for here aiogram is imported already."""
    return subprocess.run(  # noqa: S603 - our own words
        [sys.executable, "-c", "\n".join(programme)], capture_output=True, text=True, check=True
    ).stdout


def test_each_model_of_aiogram_can_be_built_and_is_what_aiogram_would_have_built():
    light, heavy = (json.loads(printed(how, EVERY_MODEL)) for how in (LIGHTLY, AS_IT_IS))
    assert len(heavy) > 500
    assert light == heavy


@pytest.mark.parametrize(("how", "some"), [(LIGHTLY, True), (AS_IT_IS, False)])
def test_what_nobody_uses_is_not_built(how, some):
    built = printed(how, BUILT_AFTER_AN_UPDATE).split()
    assert "Update" in built
    assert (len(built) < 20) == some
