"""Pictures that are drawn when they are sent, off the event loop: for cameras, and for staff."""

import asyncio
from io import BytesIO
from typing import TYPE_CHECKING

from bot import report_pictures
from bot.report_pictures import drawable
from handlers.letters import Bars, Chart, Reach

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Inches, and dots to an inch: a phone shows it whole, and it can be enlarged.
_WIDTH, _LINE, _MARGIN, _DOTS = 9.0, 0.55, 1.9, 120
_SEATS, _TAKEN, _ATTENDED, _STARS, _INK = "#dfe3ea", "#8fb3d9", "#1f4e79", "#c8102e", "#222222"
_MOST_STARS = 5


async def scannable(link: str) -> bytes:
    """A QR code of this link, as a PNG that a phone's camera reads from another phone's screen."""
    return await asyncio.to_thread(_scannable, link)


async def chart(what: Chart | Reach) -> bytes:
    """The figures as a PNG: a second's work, and some more the first time, for the fonts."""
    if isinstance(what, Reach):
        return await asyncio.to_thread(report_pictures.drawn, what)
    return await asyncio.to_thread(_chart, what)


def _scannable(link: str) -> bytes:
    import segno  # noqa: PLC0415  # for the few that send pictures

    picture = BytesIO()
    # Correction M mends 15 % (ISO/IEC 18004): glare on a screen. Twelve dots to a module, and the
    # quiet zone of four modules that the standard asks for.
    segno.make(link, micro=False, error="m").save(picture, kind="png", scale=12, border=4)
    return picture.getvalue()


def _chart(what: Chart) -> bytes:
    # Slow to import. Without pyplot there is no global state, and threads don't meet.
    from matplotlib.backends.backend_agg import FigureCanvasAgg  # noqa: PLC0415  # see above
    from matplotlib.figure import Figure  # noqa: PLC0415  # see above

    figure = Figure(
        figsize=(_WIDTH, _MARGIN + _LINE * len(what.lines)), dpi=_DOTS, layout="constrained"
    )
    FigureCanvasAgg(figure)
    # Arabic reads from the right: the names stand there, the bars grow to the left.
    widths = [1, 4] if what.right_to_left else [4, 1]
    people, stars = figure.subplots(1, 2, width_ratios=widths, sharey=True)[
        :: -1 if what.right_to_left else 1
    ]
    _draw_people(people, what.lines)
    _draw_stars(stars, what.lines)
    stars.set_title(drawable(what.legend[3]), fontsize=10, color=_STARS)
    for axes in (people, stars):
        axes.spines[["top", "left", "right"]].set_visible(False)
        axes.tick_params(axis="y", length=0)
        if what.right_to_left:
            axes.invert_xaxis()
    people.invert_yaxis()
    people.set_yticks(
        range(len(what.lines)), [drawable(line.label) for line in what.lines], fontsize=10
    )
    people.tick_params(axis="y", labelleft=not what.right_to_left, labelright=what.right_to_left)
    stars.tick_params(axis="y", labelleft=False, labelright=False)
    _explain(figure, what)
    at, side = (0.99, "right") if what.right_to_left else (0.01, "left")
    figure.suptitle(drawable(what.title), fontsize=13, x=at, ha=side)
    picture = BytesIO()
    figure.savefig(picture, format="png")
    return picture.getvalue()


def _draw_people(axes: "Axes", lines: tuple[Bars, ...]) -> None:
    """Seats behind, those taken on them, those who came in front."""
    from matplotlib.ticker import MaxNLocator  # noqa: PLC0415  # slow to import

    at = range(len(lines))
    axes.barh(at, [line.seats or 0 for line in lines], height=0.8, color=_SEATS)
    axes.barh(at, [line.taken for line in lines], height=0.5, color=_TAKEN)
    axes.barh(at, [line.attended for line in lines], height=0.22, color=_ATTENDED)
    most = max([1, *(max(line.seats or 0, line.taken, line.attended) for line in lines)])
    axes.set_xlim(0, most * 1.05)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))


def _draw_stars(axes: "Axes", lines: tuple[Bars, ...]) -> None:
    axes.set_xlim(0.5, _MOST_STARS + 0.5)
    axes.set_xticks(range(1, _MOST_STARS + 1))
    axes.grid(axis="x", color=_SEATS)
    axes.set_axisbelow(True)
    for at, line in enumerate(lines):
        if line.stars is not None:
            axes.plot([line.stars], [at], marker="o", color=_STARS, markersize=7)
            axes.annotate(
                drawable(line.mark),
                (line.stars, at),
                (0, 7),
                textcoords="offset points",
                ha="center",
                fontsize=8,
                color=_INK,
            )


def _explain(figure: "Figure", what: Chart) -> None:
    from matplotlib.patches import Patch  # noqa: PLC0415  # slow to import

    keys = [
        Patch(color=color, label=drawable(name))
        for color, name in zip((_SEATS, _TAKEN, _ATTENDED), what.legend, strict=False)
    ]
    figure.legend(
        handles=keys[:: -1 if what.right_to_left else 1],
        loc="outside lower right" if what.right_to_left else "outside lower left",
        markerfirst=not what.right_to_left,
        ncols=len(keys),
        frameon=False,
        fontsize=10,
    )
