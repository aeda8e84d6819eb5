"""What proves it: on aiogram's models as `jisr run` has them, built when they are first used."""

from bot.light_start import importing_lightly

with importing_lightly():
    import bot.app  # noqa: F401 - before any module of ours imports aiogram
