from hypothesis import given
from hypothesis import strategies as some

from storage.batches import padded


@given(some.lists(some.integers()))
def test_padded_keys_are_the_same_keys_and_come_in_few_lengths(keys):
    found = padded(keys)
    assert set(found) == set(keys)
    assert found[: len(keys)] == keys
    assert len(found) < max(2, 2 * len(keys))
    assert not len(found) & (len(found) - 1)
