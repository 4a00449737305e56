"""Token buckets: a burst, then a steady stream, and never more than both together."""

from hypothesis import given
from hypothesis import strategies as st

from crdt.budget import Rate, TokenBucket

RATE = Rate(per_second=8, burst=32)
"""Powers of two, so that the arithmetic is exact."""


def test_a_burst_then_a_steady_stream() -> None:
    bucket = TokenBucket(RATE, now=100)
    assert [bucket.take(1, 100) for _ in range(32)] == [0] * 32
    assert bucket.take(1, 100) == 0.125
    assert bucket.take(1, 100.125) == 0
    assert bucket.take(2, 100.25) == 0.125


def test_a_refusal_takes_nothing() -> None:
    bucket = TokenBucket(RATE, now=0)
    assert bucket.take(28, 0) == 0
    assert bucket.take(8, 0) == 0.5
    assert bucket.take(4, 0) == 0


def test_what_is_larger_than_the_burst_waits_for_a_full_bucket_and_is_paid_for_afterwards() -> None:
    bucket = TokenBucket(RATE, now=0)
    assert bucket.take(48, 0) == 0
    assert bucket.take(1, 0) == 2.125
    assert bucket.take(48, 5.875) == 0.125
    assert bucket.take(48, 6) == 0


amounts = st.floats(0.01, 30)
pauses = st.floats(0, 5)


@given(st.lists(st.tuples(amounts, pauses), max_size=60))
def test_no_more_than_the_burst_and_the_stream_ever_passes(asked: list[tuple[float, float]]) -> None:
    bucket, now, passed = TokenBucket(RATE, now=0), 0.0, 0.0
    for amount, pause in asked:
        now += pause
        if bucket.take(amount, now) == 0:
            passed += amount
        assert passed <= RATE.burst + RATE.per_second * now + 1e-6


@given(st.lists(st.tuples(amounts, pauses), max_size=60), amounts)
def test_whoever_waits_as_long_as_told_is_let_through(asked: list[tuple[float, float]], amount: float) -> None:
    bucket, now = TokenBucket(RATE, now=0), 0.0
    for each, pause in asked:
        now += pause
        bucket.take(each, now)
    wait = bucket.take(amount, now)
    assert wait == 0 or bucket.take(amount, now + wait + 1e-9) == 0
