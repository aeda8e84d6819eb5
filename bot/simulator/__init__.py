"""A Telegram of our own: a strict Bot API server on loopback, and a page that shows phones.

It serves the demo and the tests, where real clients talk to it over real HTTP; it is never part
of production. It knows nothing of Jisr: any bot can be tried here.
"""

from bot.simulator.people import Group, Person
from bot.simulator.simulator import Simulator
from bot.simulator.stage import Theatre
from bot.simulator.world import Button, Message, Toast

__all__ = ["Button", "Group", "Message", "Person", "Simulator", "Theatre", "Toast"]
