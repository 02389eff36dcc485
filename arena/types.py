"""The words of a battle, shared by the pure modules, the models and the edges."""

from __future__ import annotations

from enum import StrEnum


class Side(StrEnum):
    A = "A"
    B = "B"

    @property
    def other(self) -> Side:
        return Side.B if self is Side.A else Side.A


class BattleStatus(StrEnum):
    OPEN = "open"
    ANSWERING = "answering"
    READY = "ready"
    VOTED = "voted"
    ABANDONED = "abandoned"


class BattleSource(StrEnum):
    """Where a battle's answers come from: written for it, or shown again to somebody else."""

    LIVE = "live"
    REJUDGED = "rejudged"
    PROMPT_SET = "prompt_set"


class AnswerStatus(StrEnum):
    PENDING = "pending"
    STREAMING = "streaming"
    COMPLETE = "complete"
    FAILED = "failed"
    INTERRUPTED = "interrupted"

    @property
    def ended(self) -> bool:
        return self not in {AnswerStatus.PENDING, AnswerStatus.STREAMING}


class ReleaseState(StrEnum):
    DRAFT = "draft"
    HELD = "held"
    FINAL = "final"


class ReleaseAct(StrEnum):
    """What happens to a release."""

    PREPARED = "prepared"
    HELD = "held"
    REBUILT = "rebuilt"
    FINISHED = "finished"
    TAKEN_BACK = "taken_back"
    PUSHED = "pushed"


class DataAct(StrEnum):
    """What somebody does with data that is not public, or brings in."""

    DOWNLOADED = "downloaded"
    IMPORTED = "imported"


class AuditWay(StrEnum):
    """By which way somebody came in to do what the audit log tells."""

    ADMIN = "admin"
    ACCOUNT = "account"
    """The pages of one's own account: logins of staff, their passwords and second factors."""
    COMMAND = "command"


class ApiScope(StrEnum):
    """What a token may read beyond what is public."""

    CANDIDATES = "candidates"
    VOTES = "votes"


class Display(StrEnum):
    """How two answers appear: at one pace, each as it comes, or without streaming, once both are whole."""

    PACED = "paced"
    UNPACED = "unpaced"
    WHOLE = "whole"


class Theme(StrEnum):
    AUTO = "auto"
    LIGHT = "light"
    DARK = "dark"


class TextSize(StrEnum):
    NORMAL = "normal"
    LARGE = "large"
    LARGER = "larger"


class FailCode(StrEnum):
    """What a volunteer is told of a side that gave no answer; more would unblind."""

    CONNECT = "connect"
    UNAUTHORIZED = "unauthorized"
    MODEL_NOT_FOUND = "model_not_found"
    RATE_LIMITED = "rate_limited"
    SERVER = "server"
    TIMEOUT = "timeout"
    MALFORMED = "malformed"
    EMPTY = "empty"
    INTERRUPTED = "interrupted"
    OTHER = "other"


class RefusalCode(StrEnum):
    CONSENT_NEEDED = "consent_needed"
    EMPTY = "empty"
    TOO_LONG = "too_long"
    TOO_MANY_TURNS = "too_many_turns"
    TOO_MANY_MESSAGES = "too_many_messages"
    TOO_MANY_TOKENS = "too_many_tokens"
    TOO_MANY_BATTLES = "too_many_battles"
    NOT_READY = "not_ready"
    CLOSED = "closed"
    NO_MODELS = "no_models"
    BAD_FRAME = "bad_frame"
    NOT_FOUND = "not_found"
    CAMPAIGN_PAUSED = "campaign_paused"
    CAMPAIGN_OVER = "campaign_over"
    ACCOUNT_NEEDED = "account_needed"
    NOTHING_TO_JUDGE = "nothing_to_judge"
    BANNED = "banned"
    TOO_FAST = "too_fast"
    TOO_MANY_LINES = "too_many_lines"


class CooldownMode(StrEnum):
    """Whether new guests wait: when more come than is usual, or as staff say."""

    AUTO = "auto"
    ON = "on"
    OFF = "off"


class CampaignStatus(StrEnum):
    """What staff decided of a campaign."""

    DRAFT = "draft"
    OPEN = "open"
    PAUSED = "paused"
    CLOSED = "closed"


class CampaignPhase(StrEnum):
    """What a campaign is at a moment, by its status and its dates."""

    PREPARED = "prepared"
    COMING = "coming"
    RUNNING = "running"
    PAUSED = "paused"
    OVER = "over"


class CampaignProblem(StrEnum):
    """Why a campaign cannot be opened."""

    NO_DATES = "no_dates"
    ENDED = "ended"
    OVERLAPS = "overlaps"
    FEW_CANDIDATES = "few_candidates"
    NO_TEXT = "no_text"


class Registration(StrEnum):
    """What needs an account: nothing, the vote, or the first message already."""

    NOTHING = "nothing"
    VOTE = "vote"
    BATTLE = "battle"


class BasqueCheck(StrEnum):
    """Whether a campaign has a Basque check, and whether it comes before the first vote."""

    NONE = "none"
    OFFERED = "offered"
    REQUIRED = "required"


class RaffleProblem(StrEnum):
    """Why a raffle's seed cannot be chosen, or why it cannot be drawn."""

    TOO_LATE = "too_late"
    THERE_ALREADY = "there_already"
    NOT_COMMITTED = "not_committed"
    TOO_EARLY = "too_early"


class LanguageLevel(StrEnum):
    A = "A1-A2"
    B = "B1-B2"
    C = "C1-C2"


class Education(StrEnum):
    HIGH_SCHOOL = "High School"
    VOCATIONAL = "Vocational ed"
    BACHELOR = "Bachelor"


class VoteSource(StrEnum):
    """In which published layout a vote of another arena came."""

    EBALUATOIA = "ebaluatoia"
    LMARENA = "lmarena"


class ExclusionSource(StrEnum):
    """Who said that a vote does not count: the site's own rules when it was cast, statistics afterwards, staff, or the volunteer."""

    RULE = "rule"
    STATISTICS = "statistics"
    STAFF = "staff"
    VOLUNTEER = "volunteer"


class FindingState(StrEnum):
    """What staff made of a finding: nothing yet, none of the volunteer's votes count, or it is nothing."""

    OPEN = "open"
    CONFIRMED = "confirmed"
    DISMISSED = "dismissed"


class ModerationAct(StrEnum):
    """What moderators do about a battle, its vote or a volunteer."""

    HIDE = "hide"
    SHOW = "show"
    EXCLUDE = "exclude"
    RESTORE = "restore"
    BAN = "ban"
    UNBAN = "unban"
    NOTE = "note"
    DISMISS = "dismiss"


class ReportReason(StrEnum):
    """Why a volunteer reports a battle."""

    ILLEGAL = "illegal"
    SELF_HARM = "self_harm"
    PERSONAL_DATA = "personal_data"
    ABUSE = "abuse"
    OTHER = "other"


class ReportState(StrEnum):
    """What staff made of a report: nothing yet, something was done, or there is nothing to do."""

    OPEN = "open"
    SETTLED = "settled"
    DISMISSED = "dismissed"


class FeedbackKind(StrEnum):
    """What is wrong with a passage of an answer."""

    GRAMMAR = "grammar"
    CALQUE = "calque"
    INVENTED_WORD = "invented_word"
    WRONG_REGISTER = "wrong_register"
    FACTUAL = "factual"
    OTHER = "other"


class ExportState(StrEnum):
    """How far an ordered export is. An expired one was done, and its file is deleted."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"
    EXPIRED = "expired"


class ExportProblem(StrEnum):
    """Why there is no export: what was asked for, the server's disk, or that its worker died each time."""

    REFUSED = "refused"
    BUSY = "busy"
    TYPES = "types"
    DISK_FULL = "disk_full"
    NOT_WRITABLE = "not_writable"
    DISK = "disk"
    LOST = "lost"
    RUNNING_ALREADY = "running_already"
    TOO_MANY = "too_many"
    TAKEN_BACK = "taken_back"
