"""Whom a member of the team reaches, by their post and what admins set."""

from storage import members, team
from storage.database import Storage
from storage.tables import Post, Role
from tests.town import EVE

NAME = {"fr": "Lyon", "ar": "ليون", "en": "Lyon"}


async def test_a_post_reaches_its_area(storage: Storage):
    async with storage.begin() as db:
        staff = await members.meet(db, "telegram", "1", EVE)
        posts = [
            Post(name=NAME, country="FR", cities=["lyon", "saint etienne"]),
            Post(name=NAME, country="FR", cities=None),
            Post(name=NAME, country=None, cities=None),
        ]
        db.add_all(posts)
        await db.flush()

        async def reached(role: Role, post: int | None, *, everywhere: bool = False) -> object:
            staff.role, staff.post_id, staff.everywhere = role, post, everywhere
            return await team.area(db, staff)

        lyon, france, world = (post.id for post in posts)
        in_lyon = {
            "all": [
                {"country": "FR"},
                {"any": [{"city": "lyon"}, {"city": "saint etienne"}]},
            ]
        }
        assert await reached(Role.STAFF, lyon) == in_lyon
        assert await reached(Role.STAFF, france) == {"country": "FR"}
        assert await reached(Role.STAFF, world) is None
        assert await reached(Role.STAFF, None) is None
        assert await reached(Role.STAFF, lyon, everywhere=True) is None
        assert await reached(Role.ADMIN, lyon) is None


async def test_who_has_no_place_in_the_team_reaches_nobody(storage: Storage):
    async with storage.begin() as db:
        somebody = await members.meet(db, "telegram", "1", EVE)
        assert await team.area(db, somebody) == team.NOBODY
        somebody.role, somebody.post_id = Role.STAFF, 999
        assert await team.area(db, somebody) == team.NOBODY
