"""What keeps the house tidy: each rule looks at the sources, and is shown to bite.

The rooms' borders stand in pyproject.toml too (import-linter); here is what it can't say.
"""

import ast
import inspect
import re
import subprocess
import sys
import tokenize
from collections import Counter
from collections.abc import Iterator
from io import StringIO
from pathlib import Path

import aiogram.methods
import aiogram.types
import pytest

ROOT = Path(__file__).parent.parent
ROOMS = ("storage", "handlers", "bot", "locales", "tests")
TOP_LEVEL = {
    *("pyproject.toml", "Makefile", "constraints.txt", "README.md", "Dockerfile", "docs"),
    *ROOMS,
}

# What a room may import, besides Python's own library and itself.
STORAGE_IMPORTS = {"storage", "sqlalchemy", "alembic", "aiosqlite", "rustworkx"}
HANDLERS_IMPORTS = {"handlers", "storage", "aiogram", "babel"}
# The type of `db`, which handlers pass on.
DB_TYPE = "sqlalchemy.ext.asyncio.AsyncSession"
# What only a few may import: each outside world has one door.
DOORS = {
    "telegram": {"bot/bulk.py", "bot/bulk_client.py"},
    "aiohttp": {
        *("bot/bulk_client.py", "bot/verdicts.py", "bot/wire.py"),
        "bot/simulator/webhook.py",
    },
    "apscheduler": {"bot/clock.py"},
    "aiogram.client": {"bot/telegram.py"},
    "aiogram.methods": {"bot/introducing.py", "bot/telegram.py"},
    "bot.simulator": {"bot/demo.py"},
}
# Who may ask what time it is, and who may look at the environment (pydantic does it for settings).
TELLS_TIME = {"bot/clock.py"}
SEES_ENVIRONMENT = {"bot/settings.py", "bot/doctor.py"}
# Who starts tasks; each waits for them, or cancels them, before it ends.
STARTS_TASKS = {
    *("bot/app.py", "bot/clock.py", "bot/delivery.py", "bot/demo.py", "bot/door.py"),
    *("bot/pace.py", "bot/polling.py", "bot/server.py"),
    *("bot/simulator/server.py", "bot/simulator/simulator.py", "bot/simulator/webhook.py"),
}
LONGEST = 350
LONG_FILES = {
    "storage/agendas.py": "compare and apply are one algorithm",
    "tests/test_agendas.py": "one story in many changes of mind",
    "tests/test_house_rules.py": "every rule beside its proof",
    "tests/test_pace.py": "a table of cases",
    "tests/test_registration.py": "whole conversations, in three languages",
    "tests/test_simulator.py": "a table of cases",
    "tests/test_simulator_rules.py": "a table of cases",
    "tests/test_telegram.py": "a table of cases",
}
# Module-level calls that only make a value. So do our own classes: what opens something is a
# function, and is called when the program runs.
MAKES_A_VALUE = {
    *("frozenset", "set", "dict", "dict.fromkeys", "range", "str.maketrans", "name.lower"),
    *("timedelta", "datetime", "re.compile", "fields", "Path", "secrets.token_bytes"),
    *("TypeVar", "ContextVar", "ClientTimeout", "PlainValidator", "BeforeValidator"),
    *("structlog.get_logger", "_someone"),
}
# The only conditions at module level: what is for the type checker, and for `python -m`.
WHENS = {"TYPE_CHECKING", "__name__ == '__main__'"}
# A machine's own folders, and where packages come from; in pieces, or this file would hold them.
FOLDERS = ("tmp", "work", "root", "home")
HOSTS = (("pypi", "org"), ("pythonhosted", "org"), ("registry", "npmjs"), ("deb", "debian"))
FORBIDDEN = re.compile(
    r"(?<![\w.~}])/(" + "|".join(FOLDERS) + r")/[\w.-]|" + "|".join(map("[.]".join, HOSTS))
)
# aiogram's objects offer to speak by themselves: `message.answer`, `tap.answer`, `chat.leave`, ...
_METHODS = {
    name
    for name in aiogram.methods.__all__
    if name not in {"Request", "Response", "TelegramMethod"}
}
SPEAKS = {
    name
    for kind in vars(aiogram.types).values()
    if inspect.isclass(kind)
    for name, function in vars(kind).items()
    if inspect.isfunction(function) and function.__annotations__.get("return") in _METHODS
}


class Source:
    """One of our modules."""

    def __init__(self, path: str, text: str) -> None:
        self.path, self.text, self.room = path, text, path.partition("/")[0]
        self.tree = ast.parse(text)


Complaints = Iterator[tuple[int, str]]


def files() -> list[str]:
    """Every file that is, or is about to be, in the repository."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],  # noqa: S607  # git is found as everybody finds it
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return sorted(name for name in listed.stdout.split("\0") if name and (ROOT / name).exists())


@pytest.fixture(scope="module")
def sources() -> list[Source]:
    found = [
        Source(name, (ROOT / name).read_text("utf-8")) for name in files() if name[-3:] == ".py"
    ]
    assert {source.room for source in found} == set(ROOMS)
    return found


# --- the rules --------------------------------------------------------------------------------


def imports_of(source: Source) -> Iterator[tuple[int, str]]:
    """Every module that is imported, also inside functions; `from a import b` may be `a.b`."""
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{source.path}:{node.lineno}: say where from"
            yield from ((node.lineno, f"{node.module}.{alias.name}") for alias in node.names)


def each_room_imports_what_it_may(source: Source) -> Complaints:
    rooms = {"storage": STORAGE_IMPORTS, "handlers": HANDLERS_IMPORTS}
    if source.room not in rooms:
        return
    allowed = rooms[source.room]
    for line, name in imports_of(source):
        top = name.partition(".")[0]
        if top not in sys.stdlib_module_names and top not in allowed and name != DB_TYPE:
            yield line, f"{source.room} may not import {top}"


def each_outside_world_has_one_door(source: Source) -> Complaints:
    for line, name in imports_of(source) if source.room != "tests" else ():
        for world, doors in DOORS.items():
            at_home = source.path.startswith(world.replace(".", "/") + "/")
            if f"{name}.".startswith(f"{world}.") and source.path not in doors and not at_home:
                yield line, f"{world} is for {', '.join(sorted(doors))}"


def handlers_speak_through_say(source: Source) -> Complaints:
    if source.room != "handlers":
        return
    for line, name in imports_of(source):
        if name in {"aiogram.Bot", "aiogram.Dispatcher"}:
            yield line, f"{name} is not for handlers"
    modules = {name.rpartition(".")[2] for _, name in imports_of(source)}
    for node in calls(source.tree):
        of, _, verb = dotted(node.func).rpartition(".")
        if verb in SPEAKS and of and of not in modules:
            yield node.lineno, f"{verb} speaks without say"


def only_bot_knows_the_time_and_the_environment(source: Source) -> Complaints:
    clocks = {"datetime.now", "datetime.utcnow", "datetime.today", "date.today", "time.time"}
    watches = {"time.monotonic", "time.perf_counter"} if source.room != "bot" else set()
    for node in ast.walk(source.tree) if source.room != "tests" else ():
        if not isinstance(node, ast.Attribute):
            continue
        name = dotted(node)
        if name in clocks | watches and source.path not in TELLS_TIME:
            yield node.lineno, f"{name} is the clock's"
        if name in {"os.environ", "os.getenv"} and source.path not in SEES_ENVIRONMENT:
            yield node.lineno, f"{name} is the settings'"


def words_are_where_babel_sees_them(source: Source) -> Complaints:
    if source.room != "handlers" or source.path == "handlers/words.py":
        return
    hidden = {
        id(node)
        for text in ast.walk(source.tree)
        if isinstance(text, ast.JoinedStr)
        for node in ast.walk(text)
    }
    for node in calls(source.tree):
        says = dotted(node.func).rpartition(".")[2]
        if says not in {"words", "label", "plural"}:
            continue
        if id(node) in hidden:
            yield node.lineno, f"{says} is called inside an f-string"
        msgids = node.args[: 2 if says == "plural" else 1]
        literal = [isinstance(m, ast.Constant) and isinstance(m.value, str) for m in msgids]
        if not literal or not all(literal):
            yield node.lineno, f"{says} is called without a literal text"


def nothing_happens_on_import(source: Source) -> Complaints:
    # alembic runs env.py rather than importing it.
    if source.room == "tests" or source.path == "storage/migrations/env.py":
        return
    makes_a_value = MAKES_A_VALUE | our_classes(source)
    for statement in source.tree.body:
        match statement:
            case ast.Import() | ast.ImportFrom() | ast.Expr(value=ast.Constant()):
                pass
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                pass
            case ast.Assign() | ast.AnnAssign():
                for node in calls(statement):
                    if dotted(node.func) not in makes_a_value:
                        yield node.lineno, f"{ast.unparse(node.func)}() runs on import"
            case ast.If() if ast.unparse(statement.test) in WHENS:
                pass
            case _:
                yield statement.lineno, f"{ast.unparse(statement)!r} runs on import"


def our_classes(source: Source) -> set[str]:
    names = {node.name for node in source.tree.body if isinstance(node, ast.ClassDef)}
    imported = [name for _, name in imports_of(source) if name.partition(".")[0] in ROOMS]
    return names | {name for name in (i.rpartition(".")[2] for i in imported) if name[0].isupper()}


def a_silenced_check_says_why(source: Source) -> Complaints:
    codes = r"noqa: [A-Z]+\d+(?:, ?[A-Z]+\d+)*|type: ignore\[[\w, -]+\]"
    explained = re.compile(rf"# (?:{codes})(?:  #| -) \S")
    for token in tokenize.generate_tokens(StringIO(source.text).readline):
        silences = re.match(r"#\s*(?:noqa|type:\s*ignore)", token.string)
        if token.type == tokenize.COMMENT and silences and not explained.match(token.string):
            yield token.start[0], f"no reason: {token.string}"


def no_file_is_long(source: Source) -> Complaints:
    lines = source.text.count("\n")
    if lines > LONGEST and source.path not in LONG_FILES:
        yield lines, f"more than {LONGEST} lines: does it still tell one story?"


def tasks_are_started_in_few_places(source: Source) -> Complaints:
    for node in calls(source.tree) if source.room != "tests" else ():
        starts = dotted(node.func).rpartition(".")[2] in {"create_task", "ensure_future"}
        if starts and source.path not in STARTS_TASKS:
            yield node.lineno, "a task is started here"


def no_test_is_forgotten(source: Source) -> Complaints:
    if not source.path.startswith("tests/test_"):
        return
    used = Counter(node.id for node in ast.walk(source.tree) if isinstance(node, ast.Name))
    for node in source.tree.body:
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        decorators = [ast.unparse(decorator) for decorator in node.decorator_list]
        if any("fixture" in decorator for decorator in decorators):
            continue
        if not node.name.startswith("test_") and not used[node.name]:
            yield node.lineno, f"{node.name} is neither a test nor used by one"


def calls(tree: ast.AST) -> Iterator[ast.Call]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.Call))


def dotted(node: ast.AST) -> str:
    """`a.b.c` of an expression; of anything else nothing."""
    if isinstance(node, ast.Attribute):
        return f"{dotted(node.value)}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else ""


# --- that they are kept, and that they bite ---------------------------------------------------

# Each rule, and what it must not let pass: in which file, and what it says.
RULES = {
    each_room_imports_what_it_may: [
        ("storage/a.py", "import babel", "1 storage may not import babel"),
        ("storage/a.py", "def f():\n import bot.app", "2 storage may not import bot"),
        ("handlers/a.py", "from rich import print", "1 handlers may not import rich"),
    ],
    each_outside_world_has_one_door: [
        ("bot/app.py", "import telegram", "1 telegram is for bot/bulk.py, bot/bulk_client.py"),
        (
            "bot/app.py",
            "from telegram.ext import ExtBot",
            "1 telegram is for bot/bulk.py, bot/bulk_client.py",
        ),
        ("bot/app.py", "from bot import simulator", "1 bot.simulator is for bot/demo.py"),
        ("bot/app.py", "import apscheduler.events", "1 apscheduler is for bot/clock.py"),
        (
            "handlers/a.py",
            "from aiogram import methods",
            "1 aiogram.methods is for bot/introducing.py, bot/telegram.py",
        ),
        ("handlers/a.py", "import aiogram.client.bot", "1 aiogram.client is for bot/telegram.py"),
    ],
    handlers_speak_through_say: [
        ("handlers/a.py", "from aiogram import Bot", "1 aiogram.Bot is not for handlers"),
        ("handlers/a.py", "await message.answer('Hi')", "1 answer speaks without say"),
        ("handlers/a.py", "await tap.message.edit_text('Hi')", "1 edit_text speaks without say"),
        ("handlers/a.py", "await chat.leave()", "1 leave speaks without say"),
    ],
    only_bot_knows_the_time_and_the_environment: [
        ("bot/a.py", "datetime.now(UTC)", "1 datetime.now is the clock's"),
        ("storage/a.py", "time.monotonic()", "1 time.monotonic is the clock's"),
        ("bot/a.py", "f(default_factory=time.time)", "1 time.time is the clock's"),
        ("bot/a.py", "os.environ['JISR_PACE']", "1 os.environ is the settings'"),
    ],
    words_are_where_babel_sees_them: [
        ("handlers/a.py", "f'{words(\"Hi\")}!'", "1 words is called inside an f-string"),
        ("handlers/a.py", "turn.words(text)", "1 words is called without a literal text"),
        ("handlers/a.py", "words(f'Hi {name}')", "1 words is called without a literal text"),
        ("handlers/a.py", "words.label()", "1 label is called without a literal text"),
        ("handlers/a.py", "words.plural('a', b, 1)", "1 plural is called without a literal text"),
    ],
    nothing_happens_on_import: [
        ("bot/a.py", "bot = Bot(token)", "1 Bot() runs on import"),
        ("bot/a.py", "WORDS = (1, open('words').read())", "1 open('words').read() runs on import"),
        ("bot/a.py", "with a: pass", "1 'with a:\\n    pass' runs on import"),
        ("bot/a.py", "main()", "1 'main()' runs on import"),
        ("bot/a.py", "if DEBUG: f()", "1 'if DEBUG:\\n    f()' runs on import"),
    ],
    a_silenced_check_says_why: [
        ("bot/a.py", "a = 1  # noqa", "1 no reason: # noqa"),
        ("bot/a.py", "a = 1  # noqa: E1, F12", "1 no reason: # noqa: E1, F12"),
        ("bot/a.py", "a = 1  # type: ignore", "1 no reason: # type: ignore"),
        ("tests/a.py", "a = 1  # type: ignore[misc] #", "1 no reason: # type: ignore[misc] #"),
    ],
    no_file_is_long: [
        ("bot/a.py", "a = 1\n" * 351, "351 more than 350 lines: does it still tell one story?")
    ],
    tasks_are_started_in_few_places: [
        ("handlers/a.py", "asyncio.create_task(f())", "1 a task is started here")
    ],
    no_test_is_forgotten: [
        ("tests/test_a.py", "def tset_a(): pass", "1 tset_a is neither a test nor used by one")
    ],
}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_the_house_keeps_its_rules(rule, sources):
    said = [f"{s.path}:{line}: {what}" for s in sources for line, what in rule(s)]
    assert not said, "\n".join(said)


@pytest.mark.parametrize(
    ("rule", "path", "text", "said"),
    [(rule, *broken) for rule, cases in RULES.items() for broken in cases],
)
def test_a_broken_rule_is_told(rule, path, text, said):
    assert said in [f"{line} {what}" for line, what in rule(Source(path, text))]


def test_the_lists_of_exceptions_name_files_that_are_there(sources):
    paths = {source.path for source in sources}
    exceptions = (*DOORS.values(), TELLS_TIME, SEES_ENVIRONMENT, STARTS_TASKS, set(LONG_FILES))
    assert set().union(*exceptions) - paths == set()


def test_the_top_level_holds_what_the_plan_of_the_house_shows():
    top = {name.partition("/")[0] for name in files()}
    assert {name for name in top if not name.startswith(".")} - TOP_LEVEL == set()


def test_each_button_has_a_prefix_of_its_own(sources):
    prefixes = Counter(
        keyword.value.value
        for source in sources
        if source.room != "tests"
        for node in ast.walk(source.tree)
        if isinstance(node, ast.ClassDef) and "CallbackData" in map(dotted, node.bases)
        for keyword in node.keywords
        if keyword.arg == "prefix" and isinstance(keyword.value, ast.Constant)
    )
    assert len(prefixes) > 5
    assert [prefix for prefix, times in prefixes.items() if times > 1] == []


def test_no_file_names_a_machine_or_where_packages_come_from():
    said = []
    for name in files():
        data = (ROOT / name).read_bytes()
        if b"\0" in data:
            continue
        for number, line in enumerate(data.decode("utf-8").split("\n"), start=1):
            if found := FORBIDDEN.search(line):
                said.append(f"{name}:{number}: {found.group()}")
    assert said == []


@pytest.mark.parametrize("text", [f"cd /{FOLDERS[1]}/main", f"https://{'.'.join(HOSTS[0])}/simple"])
def test_a_machines_name_is_found(text):
    assert FORBIDDEN.search(text)
