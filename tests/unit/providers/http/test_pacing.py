"""The pace of a connection: limits kept, pauses honoured, slower after a refusal, and back again."""

import itertools
import threading

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from provider_script import Script, open_client

from reconciler.providers.http.pacing import FASTEST, LONGEST_PAUSE, SLOWEST, Limiter, Pace, asked_pause


class _Time:
    """A clock that only sleeping moves."""

    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now

    def sleep(self, seconds):
        assert seconds > 0
        self.now += seconds


def _pace(per_second):
    clock = _Time()
    return Pace(per_second, clock=clock, sleep=clock.sleep), clock


STEPS = st.lists(
    st.one_of(
        st.just("start"), st.just("good"), st.just("refused"), st.floats(0, 5), st.floats(0, 200).map(lambda s: (s,))
    ),
    max_size=60,
)


@given(st.one_of(st.none(), st.floats(0.01, 500)), STEPS)
def test_limits_and_pauses_are_kept_whatever_happens(limit, steps):
    pace, clock = _pace(limit)
    starts, held = [], 0.0
    for step in steps:
        if step == "start":
            pace.wait()
            starts.append(clock.now)
            assert clock.now >= held - 1e-5
        elif step == "good":
            pace.answered()
        elif step == "refused":
            pace.refused(clock.now)
        elif isinstance(step, tuple):
            pace.hold(step[0])
            held = max(held, clock.now + min(step[0], LONGEST_PAUSE))
        else:
            clock.now += step
        assert pace._rate is None or min(SLOWEST, limit or FASTEST) <= pace._rate <= (limit or FASTEST)
    if limit is not None:
        assert all(after - before >= 1 / limit - 1e-5 for before, after in itertools.pairwise(starts))


@given(st.one_of(st.none(), st.floats(0.01, 500)), st.integers(1, 30))
def test_a_slowed_pace_comes_back_to_what_is_set(limit, refusals):
    pace, clock = _pace(limit)
    for _ in range(refusals):
        clock.now += 1
        pace.refused(clock.now)
    assert pace._rate < (limit or FASTEST) or limit == pace._rate <= SLOWEST
    for _ in range(200):
        pace.answered()
    assert pace._rate == limit


def test_refusals_of_one_burst_count_once():
    pace, clock = _pace(None)
    began = clock.now
    clock.now += 0.1
    for _ in range(8):
        pace.refused(began)
    assert pace._rate == FASTEST / 2


def test_it_settles_near_what_a_server_allows_without_saying_so():
    """A server of 2 requests a second, that only ever answers 429: few are refused, and little time is lost."""
    pace, clock = _pace(None)
    allowance, last, good, refused = 2.0, clock.now, 0, 0
    while good < 200:
        pace.wait()
        clock.now += 0.01
        allowance = min(allowance + 2 * (clock.now - last), 2.0)
        last = clock.now
        if allowance >= 1:
            allowance -= 1
            good += 1
            pace.answered()
        else:
            refused += 1
            pace.refused(clock.now - 0.01)
    assert refused < 60
    assert clock.now - 1000 < 200


def test_a_pause_asked_for_meanwhile_holds_back_who_sleeps_already():
    clock = _Time()
    pace = Pace(
        1.0, clock=clock, sleep=lambda seconds: (clock.sleep(seconds), pace.hold(10) if clock.now < 1002 else 0)
    )
    pace.wait()
    pace.wait()
    assert clock.now == pytest.approx(1011)


@pytest.mark.parametrize(
    ("text", "pause"),
    [
        ("0", 0),
        (" 7 ", 7),
        ("0000000000000000005", 5),
        ("9" * 5000, LONGEST_PAUSE),
        ("-1", None),
        ("1.5", None),
        ("1e3", None),
        ("\u0661", None),
        ("Fri, 31 Dec 9999 23:59:59 GMT", LONGEST_PAUSE),
        ("Mon, 01 Jan 0001 00:00:00 -2300", 0),
        ("Mon, 99 Foo 2027 99:99:99 GMT", None),
        ("Wed, 21 Oct 2015 07:28:00 -0000", 0),
        ("Sunday, 06-Nov-94 08:49:37 GMT", 0),
        ("\x00", None),
        (",", None),
    ],
)
def test_what_a_server_can_write_into_retry_after(text, pause):
    assert asked_pause({"retry-after": text}) == pause


@given(st.text())
def test_garbage_in_retry_after_is_no_crash(text):
    pause = asked_pause({"retry-after": text})
    assert pause is None or 0 <= pause <= LONGEST_PAUSE


def test_two_clients_of_one_connection_share_their_limiter():
    limiter = Limiter(1, None)
    inside, both = threading.Semaphore(1), []

    def answer(_):
        both.append(inside.acquire(blocking=False))
        threading.Event().wait(0.005)
        inside.release()
        return httpx.Response(200)

    with open_client(answer, limiter=limiter) as one, open_client(answer, limiter=limiter, writes=False) as other:
        threads = [threading.Thread(target=http.get, args=("/a",)) for http in (one, other) * 4]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert both == [True] * 8


@pytest.mark.parametrize(
    ("status", "headers", "slowed"),
    [(429, {}, True), (429, {"Retry-After": "0"}, True), (503, {"Retry-After": "0"}, True), (503, {}, False)],
)
def test_which_answers_slow_a_connection_down(status, headers, slowed):
    limiter = Limiter(8, None)
    script = Script({"GET /a": [httpx.Response(status, headers=headers), httpx.Response(404)]})
    with open_client(script, limiter=limiter) as http:
        http.get("/a")
    assert (limiter.pace._rate is not None) is slowed
