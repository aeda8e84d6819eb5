"""Pictures of an announcement's report: by language, by answer, over time. Drawn in a thread."""

from io import BytesIO
from typing import TYPE_CHECKING, Any

from handlers.letters import Reach

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Inches, and dots to an inch, as for all our pictures.
_WIDTH, _LINE, _DOTS = 9.0, 0.5, 120
_MARGIN, _TIME = 1.3, 2.4
# Delivered, failed, opted out, dropped, in doubt, waiting; and what happened over time.
_PARTS = ("#1f4e79", "#c8102e", "#e0a030", "#9aa5b1", "#7b5ea7", "#dfe3ea")
_SERIES = ("#8fb3d9", "#c8102e", "#2e7d32")
_ANSWERS, _INK = "#2e7d32", "#222222"
# Moments whose names fit under the time line.
_NAMED = 6


def drawn(what: Reach) -> bytes:
    """The report as a PNG. Arabic reads from the right: names stand there, and time runs from it."""
    # Slow to import. Without pyplot there is no global state, and threads don't meet.
    from matplotlib.backends.backend_agg import FigureCanvasAgg  # noqa: PLC0415  # see above
    from matplotlib.figure import Figure  # noqa: PLC0415  # see above

    heights = [_MARGIN + _LINE * len(what.rows)]
    if what.answers:
        heights.append(_MARGIN / 2 + _LINE * len(what.answers))
    if what.moments:
        heights.append(_TIME)
    figure = Figure(figsize=(_WIDTH, sum(heights) + 0.5), dpi=_DOTS, layout="constrained")
    FigureCanvasAgg(figure)
    panels = figure.subplots(len(heights), 1, height_ratios=heights, squeeze=False)[:, 0]
    _draw_rows(panels[0], what)
    if what.answers:
        _draw_answers(panels[1], what)
    if what.moments:
        _draw_time(panels[-1], what)
    at, side = (0.99, "right") if what.right_to_left else (0.01, "left")
    figure.suptitle(drawable(what.title), fontsize=13, x=at, ha=side)
    picture = BytesIO()
    figure.savefig(picture, format="png")
    return picture.getvalue()


def _draw_rows(axes: "Axes", what: Reach) -> None:
    begins = [0] * len(what.rows)
    most = max([1, *(sum(numbers) for _, numbers in what.rows)])
    for part, (name, color) in enumerate(zip(what.parts, _PARTS, strict=True)):
        numbers = [row[part] for _, row in what.rows]
        if not any(numbers):
            continue
        axes.barh(range(len(numbers)), numbers, left=begins, color=color, label=drawable(name))
        for at, number in enumerate(numbers):
            # Only where there is room for it.
            if number > most * 0.04:
                ink = "white" if color in _PARTS[:2] or color == _PARTS[4] else _INK
                middle = begins[at] + number / 2
                axes.text(middle, at, f"{number}", ha="center", va="center", color=ink, fontsize=9)
        begins = [begin + number for begin, number in zip(begins, numbers, strict=True)]
    axes.set_xlim(0, most * 1.05)
    _name_rows(axes, [name for name, _ in what.rows], right_to_left=what.right_to_left)
    _explain(axes, right_to_left=what.right_to_left)


def _draw_answers(axes: "Axes", what: Reach) -> None:
    numbers = [number for _, number in what.answers]
    axes.barh(range(len(numbers)), numbers, color=_ANSWERS, height=0.6)
    most = max([1, *numbers])
    side = "right" if what.right_to_left else "left"
    for at, number in enumerate(numbers):
        axes.text(number + most * 0.01, at, f"{number}", ha=side, va="center", fontsize=9)
    axes.set_xlim(0, most * 1.1)
    _name_rows(axes, [name for name, _ in what.answers], right_to_left=what.right_to_left)
    _head(axes, what.headings[0], right_to_left=what.right_to_left)


def _draw_time(axes: "Axes", what: Reach) -> None:
    from matplotlib.ticker import MaxNLocator  # noqa: PLC0415  # slow to import

    at = range(len(what.moments))
    for place, ((name, numbers), color) in enumerate(zip(what.series, _SERIES, strict=True)):
        if not any(numbers):
            continue
        if place == 0:
            axes.bar(at, numbers, color=color, label=drawable(name))
        else:
            axes.plot(at, numbers, color=color, marker="o", label=drawable(name))
    every = -(-len(what.moments) // _NAMED)
    named = [
        "\n".join(map(drawable, name.split("\n"))) if not place % every else ""
        for place, name in enumerate(what.moments)
    ]
    axes.set_xticks(list(at), named, fontsize=9)
    axes.yaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set_ylim(bottom=0)
    axes.spines[["top", "left", "right"]].set_visible(False)
    axes.tick_params(axis="y", length=0)
    if what.right_to_left:
        axes.invert_xaxis()
        axes.yaxis.tick_right()
    _head(axes, what.headings[1], right_to_left=what.right_to_left)
    # Below the names of the moments, which may have two lines.
    _explain(axes, right_to_left=what.right_to_left, below=0.24)


def _name_rows(axes: "Axes", names: list[str], *, right_to_left: bool) -> None:
    from matplotlib.ticker import MaxNLocator  # noqa: PLC0415  # slow to import

    axes.set_yticks(range(len(names)), [drawable(name) for name in names], fontsize=10)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=8))
    axes.invert_yaxis()
    axes.spines[["top", "left", "right"]].set_visible(False)
    axes.tick_params(axis="y", length=0, labelleft=not right_to_left, labelright=right_to_left)
    if right_to_left:
        axes.invert_xaxis()


def _head(axes: "Axes", heading: str, *, right_to_left: bool) -> None:
    axes.set_title(drawable(heading), fontsize=11, loc="right" if right_to_left else "left")


def _explain(axes: "Axes", *, right_to_left: bool, below: float = 0.12) -> None:
    handles, names = axes.get_legend_handles_labels()
    if not handles:
        return
    backwards = -1 if right_to_left else 1
    place: dict[str, Any] = {"loc": "upper right", "bbox_to_anchor": (1, -below)}
    if not right_to_left:
        place = {"loc": "upper left", "bbox_to_anchor": (0, -below)}
    axes.legend(
        handles[::backwards],
        names[::backwards],
        markerfirst=not right_to_left,
        ncols=len(handles),
        columnspacing=1.2,
        frameon=False,
        fontsize=9,
        **place,
    )


def drawable(text: str) -> str:
    """The text without what its font has no shape for, and without formulas.

    matplotlib brings DejaVu Sans, which has Latin and Arabic; the host's fonts are not asked.
    """
    from matplotlib.font_manager import findfont, get_font  # noqa: PLC0415  # slow to import

    shapes = get_font(findfont("DejaVu Sans"))
    kept = "".join(char for char in text if shapes.get_char_index(ord(char)))
    # Between two dollars it would read a formula ("Writing mathematical expressions").
    return kept.replace("$", r"\$")
