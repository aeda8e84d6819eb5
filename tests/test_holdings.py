"""Nothing is held about a person that nobody thought of."""

from storage import holdings

UNDECIDED = """
These columns point to a person, or are called as if they did, and nobody has decided about them:
{columns}
In storage/holdings.py add each as "table.column" either to HELD (its rows are a member's own: /mydata
shows them, /forget erases them) or to NOT_THEIRS with the reason. If its rows aren't deleted with the
member's (ondelete="CASCADE"), storage/forgetting.py has to empty what they say of the person.
"""


def test_every_column_that_points_to_a_person_is_decided_about():
    columns = holdings.unclassified()
    assert not columns, UNDECIDED.format(columns=", ".join(columns))


def test_what_is_decided_about_is_there():
    assert holdings.unknown() == []
