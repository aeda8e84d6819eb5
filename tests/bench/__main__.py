"""Measure what comes in, and what goes out: a table of ratios from one run.

python -m tests.bench [inbound] [outbound] [pace] [scale] [footprint] [introductions]
"""

import importlib
import importlib.util
import sys

import uvloop
from rich.console import Console

from bot.zones import prefer_packaged_zones

PARTS = ("inbound", "outbound", "pace", "scale", "footprint", "introductions")


def main() -> None:
    """Run the parts that were asked for, by default all there are."""
    prefer_packaged_zones()
    for part in sys.argv[1:] or PARTS:
        if importlib.util.find_spec(f"tests.bench.{part}") is not None:
            bench = importlib.import_module(f"tests.bench.{part}")
            uvloop.run(bench.run(Console()))


if __name__ == "__main__":
    main()
