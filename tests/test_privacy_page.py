"""docs/privacy.md tells the truth: it has every table, and every test that it names is there."""

import re
from pathlib import Path

from storage.tables import Base

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "privacy.md").read_text("utf-8")


def rows(section: str) -> list[list[str]]:
    """The cells of a section's table, without its head."""
    text = PAGE.partition(f"\n## {section}\n")[2].partition("\n## ")[0]
    lines = [line for line in text.splitlines() if line.startswith("| ")][1:]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]


def test_every_table_has_its_line_and_every_line_its_table():
    held = [name for row in rows("What is held") for name in re.findall(r"`(\w+)`", row[0])]
    missing = sorted(set(Base.metadata.tables) - set(held))
    assert not missing, (
        f"docs/privacy.md doesn't tell of {', '.join(missing)} yet. Please add under 'What is held'"
        " a line: | `table` | what is in it, and why | how long | who sees it | - or add the table"
        " to the line of its kin."
    )
    assert sorted(held) == sorted(set(held) & set(Base.metadata.tables))


def test_every_line_says_what_why_how_long_and_who():
    assert [row[0] for row in rows("What is held") if len(row) != 4 or not all(row)] == []


def test_every_promise_is_proved_by_a_test_that_is_there():
    promises = rows("What we promise, and what proves it")
    assert len(promises) > 20
    for promise, proof in promises:
        named = re.findall(r"`(tests/\w+\.py)::(\w+)`", proof)
        assert named, promise
        for path, name in named:
            source = (ROOT / path).read_text("utf-8")
            assert re.search(rf"^(async )?def {name}\(", source, re.MULTILINE), (
                f"docs/privacy.md says that {path}::{name} proves: {promise}. Where is it now?"
            )


def test_every_setting_that_is_named_is_one():
    readme = (ROOT / "README.md").read_text("utf-8")
    for name in set(re.findall(r"`(JISR_\w+)`", PAGE)):
        assert f"| `{name}` |" in readme
