"""The README tells the truth: its commands, its settings, its example."""

import re
import tomllib
import types
from pathlib import Path
from typing import cast

import pytest
from typer.core import TyperGroup
from typer.main import get_command

from bot.__main__ import command_line
from bot.catalogs import extracted
from bot.settings import Settings, env_name
from handlers import conversations
from tests.town import Town, open_town

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text("utf-8")


def section(title: str) -> str:
    return README.partition(f"## {title}\n")[2].partition("\n## ")[0]


def settings_table() -> str:
    """The table of settings, as it must stand in the README."""
    lines = ["| setting | default | means |", "|---|---|---|"]
    for name, field in Settings.model_fields.items():
        default = f"`{field.default}`" if field.default is not None else ""
        lines.append(f"| `{env_name(name)}` | {default} | {field.description} |")
    return "\n".join(lines)


def test_every_setting_is_documented_as_it_is():
    told = README.partition("<!-- settings -->\n")[2].partition("\n<!-- /settings -->")[0]
    assert told == settings_table()


def test_every_command_is_documented_and_every_documented_one_exists():
    told = set(re.findall(r"`jisr ([a-z ]+?)(?: FILE)?`", section("Go live")))
    root = cast("TyperGroup", get_command(command_line()))
    commands = {
        f"{name} {sub}" if getattr(command, "commands", None) else name
        for name, command in root.commands.items()
        if not command.hidden
        for sub in getattr(command, "commands", {"": None})
    }
    assert told == {name.strip() for name in commands}


def test_every_make_target_that_is_named_exists():
    makefile = (ROOT / "Makefile").read_text("utf-8")
    targets = set(re.findall(r"^([a-z]+):", makefile, re.MULTILINE))
    assert set(re.findall(r"(?:`|^)make ([a-z]+)", README, re.MULTILINE)) <= targets


def test_every_dependency_has_earned_its_line():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    extras = project["optional-dependencies"]["test"]
    told = section("What it stands on").casefold()
    for requirement in (*project["dependencies"], *extras):
        name = re.split(r"[\[<>=;]", requirement)[0].casefold()
        assert name in told or name.startswith("types-"), name


def test_every_file_that_is_named_exists():
    for name in re.findall(r"`((?:bot|handlers|storage|locales|tests|docs)/[\w./-]*)`", README):
        assert (ROOT / name).exists(), name
    for link in re.findall(r"\]\((docs/[\w./-]+)\)", README):
        assert (ROOT / link).exists(), link


@pytest.fixture
def example() -> types.ModuleType:
    """The conversation of "Adding a conversation", as a module."""
    module = types.ModuleType("hours")
    source = re.findall(r"```python\n(.*?)```", section("Adding a conversation"), re.DOTALL)[0]
    exec(compile(source, "README.md", "exec"), module.__dict__)  # noqa: S102  # our own README
    return module


async def test_the_example_is_a_conversation(
    example: types.ModuleType, sqlite_url: str, monkeypatch: pytest.MonkeyPatch
):
    routers = conversations.routers

    def with_the_example():
        *before, last = routers()
        return [*before, example.router(), last]

    monkeypatch.setattr("bot.intake.routers", with_the_example)
    transcript = re.findall(
        r"```python\n(async def test.*?)```", section("Adding a conversation"), re.DOTALL
    )[0]
    test = {}
    exec(compile(transcript, "README.md", "exec"), test)  # noqa: S102  # our own README
    town: Town
    async with open_town(sqlite_url) as town:
        await test["test_the_hours_are_told"](town)


def test_the_example_is_none_of_our_own_words():
    assert "We are open from {start} to {end}." not in {m.id for m in extracted()}
