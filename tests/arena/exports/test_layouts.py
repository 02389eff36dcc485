"""What each layout makes of a record."""

from __future__ import annotations

import json
from dataclasses import replace
from uuid import UUID

import msgspec
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from arena.exports.cleaning import cleaned, for_layout
from arena.exports.fields import schema_of
from arena.exports.layouts import LAYOUTS, Layout
from arena.exports.layouts.base import Kind
from arena.exports.pseudonyms import KEY_BYTES, Pseudonyms, Published
from arena.exports.records import Mark
from arena.exports.suppression import suppressing
from arena.sanitizing import Decided, Decision, find, sanitize
from arena.types import Side
from inference.types import SystemPromptMode
from ranking.types import Outcome
from tests.arena.exports.made import AT, CONTEXT, asked, judged, model, record, reply

MARK = Mark(id=UUID(int=77), start=0, end=3, kind="calque", comment="", rewrite="Bai!", at=AT)
TWO = (
    asked(1, "Kaixo", reply(Side.A, "Bai", MARK), reply(Side.B, "Ez")),
    asked(
        2,
        "```py\n1\n```",
        reply(Side.A, "# Hau\n* **bat**", turn=2),
        reply(Side.B, "1. bat", turn=2, tokens=None),
    ),
)


@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=list(LAYOUTS))
def test_rows_hold_the_columns_in_their_order_and_fit_their_types(layout: Layout) -> None:
    rows = [row for each in (record(), record(*TWO)) for row in layout.rows(each, CONTEXT)]
    assert rows
    assert all(list(row) == [field.name for field in layout.fields] for row in rows)
    table = pa.Table.from_pylist(rows, schema=schema_of(layout.fields))
    assert table.to_pylist() == msgspec.json.decode(msgspec.json.encode(rows))


@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=list(LAYOUTS))
def test_every_column_says_in_a_sentence_what_it_is(layout: Layout) -> None:
    assert all(field.about.endswith(".") for field in layout.fields)
    assert layout.about.endswith(".")


def test_the_published_schema_has_system_turns_and_no_word_for_both_bad() -> None:
    vote = judged(Outcome.BOTH_BAD, Outcome.BOTH_BAD, Outcome.BOTH_BAD)
    [row] = LAYOUTS["ebaluatoia"].rows(record(vote=vote), CONTEXT)
    assert row["conv_a"] == [
        {"role": "system", "content": "Lagundu."},
        {"role": "user", "content": "Kaixo"},
        {"role": "assistant", "content": "Bai"},
    ]
    assert (row["winner"], row["winner_content"], row["winner_language"]) == ("tie", "tie", "tie")
    [told] = LAYOUTS["lmarena"].rows(record(vote=vote), CONTEXT)
    assert told["winner"] == "both_bad"


def test_dpo_prefers_by_criterion_and_takes_one_message_in_one_wording() -> None:
    vote = judged(Outcome.B_BETTER, Outcome.TIE, Outcome.B_BETTER)
    rows = list(LAYOUTS["dpo"].rows(record(vote=vote), CONTEXT))
    assert [row["criterion"] for row in rows] == ["overall", "content"]
    assert rows[0]["chosen"] == [{"role": "assistant", "content": "Ez"}]
    assert rows[0]["prompt"][-1] == {"role": "user", "content": "Kaixo"}
    assert not list(LAYOUTS["dpo"].rows(record(*TWO, vote=vote), CONTEXT))
    other = record(vote=vote, b=model("txar", SystemPromptMode.NONE))
    assert not list(LAYOUTS["dpo"].rows(other, CONTEXT))


def test_kto_takes_each_side_of_what_is_no_tie_with_its_own_conversation() -> None:
    vote = judged(Outcome.BOTH_BAD, Outcome.TIE, Outcome.A_BETTER)
    rows = list(LAYOUTS["kto"].rows(record(*TWO, vote=vote), CONTEXT))
    labels = [(row["criterion"], row["model"], row["label"]) for row in rows]
    assert labels == [
        ("overall", "ona", True),
        ("overall", "txar", False),
        ("content", "ona", False),
        ("content", "txar", False),
    ]
    assert [each["content"] for each in rows[1]["prompt"]] == ["Lagundu.", "Kaixo", "Ez", "```py\n1\n```"]
    assert rows[1]["completion"] == [{"role": "assistant", "content": "1. bat"}]


def test_lmarena_counts_markdown_by_kind_and_says_what_servers_did_not_count() -> None:
    [row] = LAYOUTS["lmarena"].rows(record(*TWO), CONTEXT)
    told = row["conv_metadata"]
    assert told["header_count_a"]["h1"] == 1
    assert told["list_count_a"] == {"ordered": 0, "unordered": 1}
    assert told["bold_count_a"] == {"**": 1, "__": 0}
    assert told["list_count_b"] == {"ordered": 1, "unordered": 0}
    assert (told["sum_assistant_a_tokens"], told["sum_assistant_b_tokens"], told["turns"]) == (14, None, 2)
    assert row["is_code"]
    assert [each["user"]["content"][0]["text"] for each in row["full_conversation"]] == [
        "Kaixo",
        "```py\n1\n```",
    ]


def test_judgements_say_which_overall_follows_from_the_rule() -> None:
    rows = list(LAYOUTS["judgements"].rows(record(*TWO), CONTEXT))
    assert [(row["criterion"], row["was_asked"]) for row in rows] == [
        ("overall", False),
        ("content", True),
        ("language", True),
    ]
    assert (rows[0]["turns"], rows[0]["chars_a"], rows[0]["tokens_b"]) == (2, 18, None)


def test_a_mark_that_cuts_personal_data_does_not_bring_it_out() -> None:
    text = "Idatzi ane@example.com helbidera"
    mark = Mark(id=UUID(int=78), start=7, end=10, kind="other", comment="?", rewrite="", at=AT)
    assert parts_of(text, mark) == ("Idatzi [EMAIL] helbidera", "", "")


MAILS = "ane@example.com eta jon@example.org"


@given(start=st.integers(0, len(MAILS)), length=st.integers(1, len(MAILS)))
def test_a_mark_stays_on_what_it_marks_and_parts_make_the_clean_text(start: int, length: int) -> None:
    end = min(start + length, len(MAILS))
    before, marked, after = parts_of(MAILS, replace(MARK, start=start, end=end))
    assert before + marked + after == sanitize(MAILS) == "[EMAIL] eta [EMAIL]"
    if {start, end} <= {0, *range(15, 21), len(MAILS)}:
        assert marked == sanitize(MAILS[start:end])
    else:
        assert marked == ""


def parts_of(text: str, mark: Mark) -> tuple[str, str, str]:
    marked = record(asked(1, "Kaixo", reply(Side.A, text, mark), reply(Side.B, "Ez")))
    [row] = LAYOUTS["spans"].rows(cleaned(marked), CONTEXT)
    return row["before"], row["marked"], row["after"]


def test_what_staff_keep_stays_in_every_layout_with_texts_and_what_they_redact_goes() -> None:
    text = "Plaza Berrian 64 arku"  # doubtful: it may be an address
    [found] = find(text)
    for decision, is_kept in ((Decision.KEEP, True), (Decision.REDACT, False), (Decision.OPEN, False)):
        decided = (Decided(found.kind, found.start, found.end, decision),)
        turn = asked(
            1,
            text,
            replace(reply(Side.A, text, replace(MARK, end=5)), decided=decided),
            replace(reply(Side.B, text), decided=decided),
        )
        for layout in LAYOUTS.values():
            made = for_layout(record(replace(turn, decided=decided)), layout)
            shown = json.dumps([*layout.rows(made, CONTEXT)])
            kept_here = is_kept or not layout.is_sanitized
            assert ("Berrian 64" in shown) is (kept_here and layout.has_texts and shown != "[]"), layout.name
            assert ("[ADDRESS]" in shown) is (not kept_here and layout.has_texts), layout.name


def test_only_battles_without_a_vote_make_unvoted_rows() -> None:
    assert {name for name, layout in LAYOUTS.items() if layout.kind is Kind.UNVOTED} == {"unvoted"}


def test_a_battle_without_a_vote_makes_rows_of_its_answers_alone() -> None:
    left = replace(record(*TWO), vote=None, ended_at=AT)
    made = {name for name, layout in LAYOUTS.items() if [*layout.rows(left, CONTEXT)]}
    assert made == {"turns", "spans", "unvoted"}


def test_a_published_source_keeps_its_names() -> None:
    published = replace(record(), id="7", person="ahuntz-3")
    [row, *_] = LAYOUTS["judgements"].rows(published, replace(CONTEXT, pseudonyms=Published()))
    assert (row["id"], row["username"]) == ("7", "ahuntz-3")


MESSAGES = st.text(" ab", max_size=4)


@pytest.mark.parametrize("names", [CONTEXT.pseudonyms, Published()], ids=["ours", "published"])
@given(one=MESSAGES, other=MESSAGES)
def test_equal_first_messages_share_an_id_and_others_do_not(
    names: Pseudonyms | Published, one: str, other: str
) -> None:
    def prompt(text: str) -> str:
        battle = record(asked(1, text, reply(Side.A, "Bai"), reply(Side.B, "Ez")))
        [row, *_] = LAYOUTS["judgements"].rows(battle, replace(CONTEXT, pseudonyms=names))
        found: str = row["prompt"]
        return found

    assert (prompt(one) == prompt(other)) is (one.strip() == other.strip())


@given(st.binary(max_size=KEY_BYTES - 1))
def test_a_key_that_is_too_short_makes_no_pseudonyms(key: bytes) -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        Pseudonyms(key)


CELLS = st.dictionaries(
    st.tuples(st.sampled_from(["", "A1-A2", "C1-C2"]), st.sampled_from(["", "Bachelor"])), st.integers(1, 9)
)


@given(people=CELLS)
def test_whoever_stands_in_a_row_shares_it_with_enough_people(people: dict[tuple[str, str], int]) -> None:
    stands = suppressing(people, least=5)
    shown: dict[tuple[str, str], int] = {}
    for cell, count in people.items():
        shown[stands(*cell)] = shown.get(stands(*cell), 0) + count
    for (level, education), count in shown.items():
        at_level = sum(n for (other, _), n in shown.items() if other == level)
        assert not level or at_level >= 5
        assert not education or count >= 5
