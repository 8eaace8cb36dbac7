"""Ctrl-C and SIGTERM: handled while a command runs, and given back as they were."""

import signal
import threading

import pytest

from reconciler.cli.signals import orderly, stopping

BOTH = (signal.SIGINT, signal.SIGTERM)


@pytest.fixture
def before():
    return [signal.getsignal(number) for number in BOTH]


@pytest.mark.parametrize("number", BOTH)
def test_either_signal_interrupts_a_command_and_handlers_are_restored(before, number):
    with pytest.raises(KeyboardInterrupt), orderly():
        signal.raise_signal(number)
    assert [signal.getsignal(item) for item in BOTH] == before


@pytest.mark.parametrize("number", BOTH)
def test_the_first_signal_asks_a_run_to_stop_and_the_second_ends_the_process(before, number):
    stop, announced = threading.Event(), threading.Event()
    with stopping(stop, announced.set):
        signal.raise_signal(number)
        assert stop.is_set()
        assert announced.wait(60)
        assert [signal.getsignal(item) for item in BOTH] == [signal.SIG_DFL, signal.SIG_DFL]
    assert [signal.getsignal(item) for item in BOTH] == before


def test_outside_of_the_main_thread_a_command_leaves_signals_alone(before):
    seen = []

    def work():
        with orderly():
            seen.extend(signal.getsignal(item) for item in BOTH)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == before
