"""A thousand guesses: few are evaluated, and the owner's own browser is never among those that must wait."""

from __future__ import annotations

from gateway.desk.throttle import ACCOUNT, DEVICE, PAIR, SOURCE, DeviceMarks, Throttle


class Hand:
    """A clock that is moved by hand; in seconds."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def guesses(throttle: Throttle, count: int, source: str = "{n}", login: str = "amina") -> int:
    return sum(throttle.begin(login.format(n=n), source.format(n=n), device=None) == 0 for n in range(count))


def test_from_one_source_few_guesses_are_evaluated() -> None:
    assert guesses(Throttle(Hand()), 1_000, "198.51.100.7") == PAIR.burst


def test_from_a_thousand_sources_an_account_is_guessed_rarely() -> None:
    hand = Hand()
    throttle = Throttle(hand)
    assert guesses(throttle, 1_000) == ACCOUNT.burst
    hand.now += 3_600
    assert guesses(throttle, 1_000) <= ACCOUNT.burst
    assert throttle.begin("amina", "203.0.113.9", device=None) <= ACCOUNT.every_s


def test_one_source_cannot_try_a_thousand_accounts() -> None:
    assert guesses(Throttle(Hand()), 1_000, "198.51.100.7", "agent{n}") == SOURCE.burst


def test_a_known_device_is_not_touched_by_an_attack_on_its_account() -> None:
    throttle = Throttle(Hand())
    guesses(throttle, 1_000)
    assert throttle.begin("amina", "192.0.2.1", device="known") == 0
    assert sum(throttle.begin("amina", "192.0.2.1", device="known") == 0 for _ in range(100)) == DEVICE.burst - 1


def test_right_passwords_use_nothing_up() -> None:
    throttle = Throttle(Hand())
    for _ in range(100):
        assert throttle.begin("amina", "192.0.2.1", device=None) == 0
        throttle.succeeded("amina", "192.0.2.1", device=None)


def test_waiting_is_as_long_as_was_said() -> None:
    hand = Hand()
    throttle = Throttle(hand)
    guesses(throttle, PAIR.burst, "192.0.2.1")
    wait = throttle.begin("amina", "192.0.2.1", device=None)
    assert 0 < wait <= PAIR.every_s
    hand.now += wait
    assert throttle.begin("amina", "192.0.2.1", device=None) == 0


def test_a_device_mark_holds_for_its_account_and_installation_only() -> None:
    marks, others = DeviceMarks(b"one key"), DeviceMarks(b"another key")
    mark = marks.make("amina", "n1")
    assert marks.device("amina", mark) == "n1"
    assert marks.name("amina") != marks.name("boris")
    for wrong in (
        marks.device("boris", mark),
        others.device("amina", mark),
        marks.device("amina", "n2" + mark[2:]),
        marks.device("amina", None),
    ):
        assert wrong is None
