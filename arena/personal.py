"""What erasing somebody does with each text that the database stores, column by column.

A test holds this against the database: a column that is not here fails it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum


class Fate(StrEnum):
    ERASED = "erased"
    """What people wrote, or what names them: the text goes, or the row with it."""
    DROPPED = "dropped"
    """Chosen from a list, or made by the site: set back, or gone with its row."""
    EXPIRES = "expires"
    """Cannot be told to be theirs, and goes by itself: ``docs/privacy.md`` says when."""
    KEPT = "kept"
    """Theirs in a way, and kept, of nobody."""
    PLAIN = "plain"
    """Says nothing of people: states, codes, what staff wrote for everybody."""


@dataclass(frozen=True, slots=True)
class Column:
    table: str
    name: str
    fate: Fate


_REGISTER: dict[str, dict[Fate, str]] = {
    "account_emailaddress": {Fate.ERASED: "email"},
    "account_emailconfirmation": {Fate.DROPPED: "key"},
    "arena_answer": {
        Fate.ERASED: "text reasoning",
        Fate.PLAIN: "side status finish_reason error_code stop language",
    },
    "arena_apitoken": {Fate.ERASED: "name", Fate.KEPT: "prefix digest", Fate.PLAIN: "scopes"},
    "arena_apitokenuse": {Fate.PLAIN: "scope"},
    "arena_auditentry": {Fate.KEPT: "about", Fate.PLAIN: "way act"},
    "arena_battle": {Fate.PLAIN: "status system_prompt policy display source"},
    "arena_cache": {Fate.EXPIRES: "cache_key value"},
    "arena_campaign": {
        Fate.PLAIN: "slug name system_prompt consent_version sampling_policy display registration status basque_check"
    },
    "arena_campaigntext": {
        Fate.PLAIN: "language title introduction thanks prizes content_question content_help language_question language_help overall_question"
    },
    "arena_checkquestion": {Fate.PLAIN: "text options"},
    "arena_consent": {Fate.KEPT: "version language text_digest"},
    "arena_control": {Fate.PLAIN: "kind worse"},
    "arena_cooldown": {Fate.PLAIN: "mode"},
    "arena_dataentry": {Fate.PLAIN: "act layout about sha256"},
    "arena_doubt": {Fate.DROPPED: "kind decision"},
    "arena_draw": {Fate.PLAIN: "algorithm seed commitment"},
    "arena_exclusion": {Fate.PLAIN: "reason source"},
    "arena_export": {Fate.PLAIN: "layout format filters sha256 version"},
    "arena_exportjob": {Fate.PLAIN: "layout format filters key state problem details file"},
    "arena_exportkey": {Fate.PLAIN: "name token"},
    "arena_finding": {Fate.DROPPED: "test model state"},
    "arena_importedvote": {
        Fate.KEPT: "external_id voter language_level education conv_a conv_b extra",
        Fate.PLAIN: "source timestamp model_a model_b winner content language checksum",
    },
    "arena_judgement": {Fate.PLAIN: "criterion outcome"},
    "arena_moderationentry": {Fate.ERASED: "note", Fate.PLAIN: "act"},
    "arena_participant": {
        Fate.ERASED: "nickname",
        Fate.DROPPED: "language_level education display theme text_size",
    },
    "arena_prompt": {Fate.PLAIN: "text task register dialect"},
    "arena_promptset": {Fate.PLAIN: "slug name content_digest system_prompt"},
    "arena_ratewindow": {Fate.EXPIRES: "key"},
    "arena_release": {Fate.PLAIN: "slug name filters contents state build"},
    "arena_releaseevent": {Fate.PLAIN: "act about"},
    "arena_releasefile": {Fate.PLAIN: "name layout sha256"},
    "arena_replacement": {Fate.PLAIN: "side error_code policy"},
    "arena_report": {Fate.ERASED: "words", Fate.PLAIN: "reason state"},
    "arena_session": {Fate.ERASED: "session_data", Fate.DROPPED: "session_key"},
    "arena_setanswer": {Fate.PLAIN: "status text finish_reason error_code stop"},
    "arena_spanfeedback": {Fate.ERASED: "comment rewrite", Fate.PLAIN: "kind"},
    "arena_study": {Fate.PLAIN: "analysis by asked payload failure"},
    "arena_ticketholder": {Fate.KEPT: "pseudonym"},
    "arena_turn": {Fate.ERASED: "text", Fate.PLAIN: "language"},
    "arena_user": {Fate.ERASED: "username first_name last_name email", Fate.DROPPED: "password"},
    "arena_vote": {Fate.DROPPED: "language_level education", Fate.PLAIN: "winner"},
    "auth_group": {Fate.PLAIN: "name"},
    "auth_permission": {Fate.PLAIN: "name codename"},
    "django_admin_log": {Fate.ERASED: "object_repr change_message", Fate.PLAIN: "object_id"},
    "django_content_type": {Fate.PLAIN: "app_label model"},
    "django_migrations": {Fate.PLAIN: "app name"},
    "django_session": {Fate.PLAIN: "session_key session_data"},  # never written: see arena.session_store
    "inference_candidate": {
        Fate.PLAIN: "code name revision description backbone training_data licence outputs_licence maker system_prompt_mode stop manifest"
    },
    "inference_circuit": {Fate.PLAIN: "state"},
    "inference_endpointcheck": {Fate.PLAIN: "step outcome detail"},
    "inference_endpointdraft": {Fate.PLAIN: "base_url provider api_key_encrypted seen"},
    "inference_generation": {Fate.EXPIRES: "request_id", Fate.PLAIN: "outcome"},
    "inference_modelendpoint": {
        Fate.PLAIN: "base_url model provider api_key_encrypted status health health_detail probe"
    },
    "inference_userusage": {Fate.DROPPED: "user"},
    "mfa_authenticator": {Fate.ERASED: "data", Fate.DROPPED: "type"},
    "ranking_benchmarkscore": {Fate.PLAIN: "language benchmark model"},
    "ranking_board": {Fate.PLAIN: "slug name kind"},
    "ranking_snapshot": {
        Fate.PLAIN: "criterion slice ties filters cluster code_version tally_checksum payload covariance checksum"
    },
    "ranking_snapshotreport": {Fate.PLAIN: "report part payload failure code_version checksum"},
    "ranking_tallycell": {Fate.PLAIN: "criterion model_a model_b"},
}

REASONS = {
    "arena_apitoken": "a hash of a token that opens nothing any more, under which its use was counted",
    "arena_auditentry": "keys of what staff acted on, so that it can be told later who did it",
    "arena_consent": "that somebody agreed, when and to which text; nobody can be told from it",
    "arena_importedvote": "what others published, as it was published; nobody here is known by it",
    "arena_ticketholder": "a raffle that was drawn can be checked by everybody; the pseudonym leads to nobody once the account is gone",
}
"""Why what is :attr:`Fate.KEPT` is."""


def columns() -> Iterator[Column]:
    for table, fates in _REGISTER.items():
        for fate, names in fates.items():
            yield from (Column(table, name, fate) for name in names.split())
