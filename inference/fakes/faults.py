"""The ways in which the scripted server fails."""

from __future__ import annotations

from enum import StrEnum


class Fault(StrEnum):
    """How the server behaves; ``NONE`` answers as it should. A number is the status that it answers with.

    Before a word: ``reset`` (the connection, with RST), ``hangs_silent`` (no header), ``hangs_first`` (headers, then nothing), ``hangs_after_role``,
    ``empty_body``, ``garbage``, ``bad_utf8`` (an event with half a character), ``cut_utf8`` (the body ends in one), ``not_a_stream``, ``error_body`` (200
    with an error as JSON), ``refuses_in_band`` (as the first event), ``empty_answer``.
    After the first word: ``dies`` (connection gone), ``in_band`` (an error event), ``hangs_between``.
    Of the whole: ``trickle`` (a word each ``pause_s``, without end), ``no_end`` (no finish reason), ``flood`` (100,000 words), ``loops`` (one sentence over
    and over), ``white_space`` (nothing else).
    Good answers in a hard form: ``split_utf8`` (a byte a chunk), ``packed`` (all events in one chunk).
    """

    NONE = "none"
    UNAUTHORIZED = "401"
    PAYMENT = "402"
    FORBIDDEN = "403"
    NOT_FOUND = "404"
    RATE_LIMITED = "429"
    BROKEN = "500"
    UNAVAILABLE = "503"
    OVERLOADED = "529"
    BAD_REQUEST = "422"
    REDIRECT = "302"
    RESET = "reset"
    IN_BAND = "in_band"
    EMPTY_BODY = "empty_body"
    EMPTY_ANSWER = "empty_answer"
    GARBAGE = "garbage"
    DIES = "dies"
    NO_END = "no_end"
    BAD_UTF8 = "bad_utf8"
    CUT_UTF8 = "cut_utf8"
    SPLIT_UTF8 = "split_utf8"
    PACKED = "packed"
    NOT_A_STREAM = "not_a_stream"
    ERROR_BODY = "error_body"
    REFUSES_IN_BAND = "refuses_in_band"
    HANGS_SILENT = "hangs_silent"
    HANGS_FIRST = "hangs_first"
    HANGS_AFTER_ROLE = "hangs_after_role"
    HANGS_BETWEEN = "hangs_between"
    TRICKLE = "trickle"
    FLOOD = "flood"
    LOOPS = "loops"
    WHITE_SPACE = "white_space"

    @property
    def status(self) -> int | None:
        return int(self.value) if self.value.isdigit() else None


FLOOD_WORDS = 100_000
