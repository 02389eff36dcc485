"""Signals that ask a run to save and stop."""

from __future__ import annotations

import os
import signal
import threading

import pytest

from training.signals import ASKS, INTERRUPTED, StopRequest


@pytest.mark.parametrize("number", ASKS)
def test_a_signal_is_heard_and_remembered(number: signal.Signals) -> None:
    with StopRequest() as asked:
        assert not asked
        os.kill(os.getpid(), number)
        assert asked
        assert asked.name == number.name


def test_the_first_one_counts_and_further_ones_do_no_harm() -> None:
    with StopRequest() as asked:
        os.kill(os.getpid(), signal.SIGUSR1)
        os.kill(os.getpid(), signal.SIGTERM)
    assert asked.signal is signal.SIGUSR1


def test_what_was_there_before_is_there_again() -> None:
    before = {each: signal.getsignal(each) for each in ASKS}
    with StopRequest():
        assert all(signal.getsignal(each) != handler for each, handler in before.items())
    assert {each: signal.getsignal(each) for each in ASKS} == before


def test_another_thread_hears_nothing_and_breaks_nothing() -> None:
    before = signal.getsignal(signal.SIGTERM)
    found: list[bool] = []

    def listen() -> None:
        with StopRequest() as asked:
            found.append(bool(asked))

    thread = threading.Thread(target=listen)
    thread.start()
    thread.join()
    assert found == [False]
    assert signal.getsignal(signal.SIGTERM) is before


def test_a_process_that_heard_nothing_says_that_another_did() -> None:
    assert StopRequest().name == "another process's signal"


def test_the_status_is_the_one_for_trying_again() -> None:
    assert INTERRUPTED == os.EX_TEMPFAIL
