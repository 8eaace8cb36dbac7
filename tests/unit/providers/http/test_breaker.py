"""A system that does not respond: after some timeouts in a row the rest of its calls fails at once."""

import httpx
import pytest
from provider_script import Script, connection, open_client

from reconciler.errors import NotStarted, OutcomeUnknown, OutOfTime, RemoteError
from reconciler.model.limit import TimeLimit
from reconciler.providers.http import Limiter
from reconciler.providers.http.breaker import AGAIN, CALLS, PATIENCE, ROUNDS, Breaker

OK = httpx.Response(200, content=b"ok")
LATE = httpx.ReadTimeout("too late")


class Clock:
    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now

    def on(self, seconds):
        self.now += seconds
        return self.now


@pytest.fixture
def clock():
    return Clock()


def hang(breaker, clock, *, rounds=ROUNDS, calls=CALLS, sort="read", width=1):
    """Let `calls` calls in turn time out in `rounds` rounds of `width` calls at a time; return the calls."""
    made = [object() for _ in range(calls)]
    for number in range(rounds):
        began = clock.now
        clock.on(30)
        for place in range(width):
            breaker.timed_out(made[(number + place) % calls], sort, began)
    return made


def is_open(breaker, sort="read", call=None):
    try:
        breaker.check(call or object(), sort)
    except RemoteError as error:
        return str(error).startswith("not sent, because connection `acme` ")
    return False


def test_timeouts_in_a_row_of_several_calls_end_the_rest(clock):
    breaker = Breaker("acme", clock=clock)
    made = hang(breaker, clock)
    with pytest.raises(RemoteError, match=f"did not respond {ROUNDS} times in a row; check it, or its timeout"):
        breaker.check(object(), "read")
    assert is_open(breaker, call=made[0])  # a retry of a call that hangs is not sent either


@pytest.mark.parametrize(
    ("case", "closed"),
    [
        ({"rounds": ROUNDS - 1}, True),
        ({"calls": CALLS - 1, "rounds": 20}, True),  # few objects that never answer: the others are read
        ({"rounds": ROUNDS - 1, "calls": 8, "width": 8}, True),  # one short outage hits all calls at once
        ({"rounds": ROUNDS, "calls": 8, "width": 8}, False),
        ({"rounds": ROUNDS, "calls": CALLS}, False),
    ],
)
def test_less_is_no_reason(case, closed, clock):
    breaker = Breaker("acme", clock=clock)
    hang(breaker, clock, **case)
    assert is_open(breaker) is not closed


def test_an_answer_ends_the_row(clock):
    breaker = Breaker("acme", clock=clock)
    hang(breaker, clock, rounds=ROUNDS - 1)
    breaker.answered("read")
    hang(breaker, clock, rounds=ROUNDS - 1)
    assert not is_open(breaker)


def test_one_call_tries_again_later_and_its_answer_lets_the_others_through(clock):
    breaker = Breaker("acme", clock=clock)
    hang(breaker, clock)
    clock.on(AGAIN)
    first = object()
    assert not is_open(breaker, call=first)
    assert is_open(breaker)
    assert not is_open(breaker, call=first)  # its retries are sent too
    breaker.timed_out(first, "read", clock.now)
    assert is_open(breaker)
    clock.on(AGAIN)
    assert not is_open(breaker, call=object())
    breaker.answered("read")
    assert not is_open(breaker)


@pytest.mark.parametrize(
    ("hanging", "ended"), [("read", {"read", "write"}), ("write", {"write"}), ("login", {"login"})]
)
def test_reads_writes_and_logins_count_apart(hanging, ended, clock):
    breaker = Breaker("acme", clock=clock)
    hang(breaker, clock, sort=hanging)
    for other in {"read", "write", "login"} - {hanging}:
        breaker.answered(other)
    assert {sort for sort in ("read", "write", "login") if is_open(breaker, sort)} == ended


def test_nothing_but_refusals_for_now_end_too(clock):
    breaker = Breaker("acme", clock=clock)
    breaker.postponed("read")
    clock.on(PATIENCE - 1)
    breaker.postponed("read")
    assert not is_open(breaker)
    clock.on(1)
    breaker.postponed("read")
    assert is_open(breaker)
    breaker.answered("read")
    breaker.postponed("read")
    assert not is_open(breaker)


def hanging(method="GET", count=50):
    return Script({f"{method} /{number}": LATE for number in range(count)})


def tried(work, count=50):
    """Return the errors of `work` for each of many objects."""
    found = []
    for number in range(count):
        with pytest.raises(RemoteError) as caught:
            work(f"/{number}")
        found.append(caught.value)
    return found


def test_reads_of_a_hanging_system_end_after_few_attempts():
    script = hanging()
    with open_client(script) as http:
        errors = tried(http.get)
    assert len(script.seen) < 3 * ROUNDS
    assert str(errors[-1]) == (
        "GET uk.bookingbug.com/49: not sent, because connection `sessions` did not respond "
        f"{len(script.seen)} times in a row; check it, or its timeout"
    )
    assert not isinstance(errors[-1], (OutcomeUnknown, NotStarted))


def test_writes_to_a_hanging_system_end_and_what_was_not_sent_is_not_unknown():
    script = hanging("POST")
    with open_client(script) as http:
        errors = tried(lambda path: http.write("POST", path))
    assert len(script.seen) == ROUNDS
    assert [isinstance(error, OutcomeUnknown) for error in errors] == [True] * ROUNDS + [False] * (50 - ROUNDS)


def test_a_gateway_that_says_so_counts_like_a_timeout():
    script = Script({f"GET /{number}": httpx.Response(504) for number in range(50)})
    ended = []
    with open_client(script) as http:
        for number in range(50):
            try:
                ended.append(http.get(f"/{number}").status)
            except RemoteError as error:
                ended.append("did not respond" in str(error))
    assert ended[-1] is True
    assert len(script.seen) < 3 * ROUNDS


def test_a_failing_system_that_answers_is_asked_on():
    script = Script({f"GET /{number}": httpx.Response(500) for number in range(20)})
    with open_client(script) as http:
        assert [http.get(f"/{number}").status for number in range(20)] == [500] * 20


class TestTimeLimit:
    def limited(self, clock, script, seconds=60, **settings):
        limiter = Limiter(4, None, name="acme", limit=TimeLimit(seconds, clock=clock))
        return open_client(script, limiter=limiter, settings=settings or None), limiter

    def test_no_call_starts_once_it_is_over(self, clock):
        script = Script({"GET /a": OK, "POST /a": OK})
        http, limiter = self.limited(clock, script)
        with http:
            assert http.get("/a").ok
            clock.on(60)
            for work in (http.get, lambda path: http.write("POST", path)):
                with pytest.raises(
                    OutOfTime, match=r"/a: not sent, because the time limit of the run \(60 s\) was over"
                ):
                    work("/a")
            limiter.finishing = True  # an apply reads back what it wrote
            assert http.get("/a").ok
            with pytest.raises(OutOfTime):
                http.write("POST", "/a")
        assert script.asked == ["GET /a", "GET /a"]

    def test_a_read_is_not_repeated_after_it(self, clock):
        script = Script({"GET /a": lambda _: clock.on(61) and httpx.Response(500)})
        http, _ = self.limited(clock, script)
        with http:
            assert http.get("/a").status == 500
        assert len(script.seen) == 1

    def test_a_write_of_unknown_result_stays_unknown(self, clock):
        script = Script({"PUT /a": lambda _: clock.on(61) and httpx.Response(503)})
        http, _ = self.limited(clock, script)
        with http, pytest.raises(OutcomeUnknown, match="the time limit of the run"):
            http.write("PUT", "/a", repeatable=True)
        assert len(script.seen) == 1

    def test_a_pause_that_would_end_after_it_is_not_waited_for(self):
        script = Script({"GET /a": httpx.Response(429, headers={"Retry-After": "60"})})
        http, _ = self.limited(TimeLimit.__init__.__kwdefaults__["clock"], script, 5)
        with http, pytest.raises(OutOfTime):
            http.get("/a")
        assert len(script.seen) == 1

    def test_without_one_nothing_is_ever_over(self):
        assert not TimeLimit().over
        assert TimeLimit().left() == float("inf")


def test_a_slow_login_is_counted_for_itself():
    script = Script({"POST /login": LATE, "GET /a": OK})
    with open_client(script, login_path="/login") as http:
        for _ in range(9):
            with pytest.raises(RemoteError):
                http.login("/login", {})
            assert http.get("/a").ok
        asked = script.asked.count("POST /login")
    assert asked < 9 * 4
    assert connection().timeout == 30
