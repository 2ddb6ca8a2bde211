"""What passwords are compared with."""

from postroad.directory.credentials import LEAST_COST, Hasher


def test_the_password_of_nobody_costs_what_a_password_costs() -> None:
    hasher = Hasher(LEAST_COST)
    real = hasher.hash("sw0rdfish and chips")
    assert not hasher.verify(hasher.dummy, "sw0rdfish and chips")  # and says nothing of a bad hash
    parts, expected = hasher.dummy.split("$"), real.split("$")
    assert parts[:4] == expected[:4]
    assert list(map(len, parts)) == list(map(len, expected))
    assert hasher.dummy != Hasher(LEAST_COST).dummy
