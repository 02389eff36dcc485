"""What volunteers are told where the arena refuses what they ask, and the HTTP status that says it: one table for pages, frames and votes."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from arena.errors import (
    AccountNeeded,
    CampaignOver,
    CheckNeeded,
    NotVotable,
    Refused,
    VoteAlreadyCast,
    VoterBanned,
    VoteRefused,
)
from arena.types import RefusalCode

Text = str | Promise


@dataclass(frozen=True, slots=True)
class Refusal:
    """*of_a_pair* is said instead to who asked for a pair to judge: they wrote no message that could be kept."""

    status: int
    text: Text
    of_a_pair: Text | None = None


OTHER = Refusal(
    409,
    _("That did not work. Your message is kept; reload the page."),
    _("That did not work; try again."),
)
"""What is missing speaks of battles that are not there, or of pages that are out of date."""
REFUSALS: dict[RefusalCode | type[VoteRefused], Refusal] = {
    RefusalCode.CONSENT_NEEDED: Refusal(
        403,
        _("We need your consent before the first message."),
        _("We need your consent before the first pair."),
    ),
    RefusalCode.EMPTY: Refusal(422, _("Write something first.")),
    RefusalCode.TOO_LONG: Refusal(422, _("The message is too long. Shorten it and send it again.")),
    RefusalCode.TOO_MANY_TURNS: Refusal(
        409, _("This battle has reached its last message. Vote, or start a new battle.")
    ),
    RefusalCode.TOO_MANY_MESSAGES: Refusal(
        429, _("You have sent many messages in an hour. Come back a little later.")
    ),
    RefusalCode.TOO_MANY_TOKENS: Refusal(
        429, _("You have had many answers today. Thank you; come back tomorrow.")
    ),
    RefusalCode.TOO_MANY_BATTLES: Refusal(
        429,
        _("You have several unfinished battles. Vote in one of them or leave it first."),
        _("You have had many pairs within an hour. Come back a little later."),
    ),
    RefusalCode.NOT_READY: Refusal(409, _("The answers are not complete yet.")),
    RefusalCode.CLOSED: Refusal(409, _("This battle is closed. Start a new one.")),
    RefusalCode.BANNED: Refusal(
        403,
        _("The moderators have closed Lehia to you: nothing you write is sent to a model."),
        _("You cannot take part any more."),
    ),
    RefusalCode.NO_MODELS: Refusal(
        503,
        _("There are not enough models at work right now. Your message is kept; try again soon."),
    ),
    RefusalCode.CAMPAIGN_PAUSED: Refusal(
        409,
        _("The campaign is paused. Your message is kept; come back soon."),
        _("The campaign is paused; come back soon."),
    ),
    RefusalCode.CAMPAIGN_OVER: Refusal(
        409,
        _(
            "The campaign is over: no more messages are taken, but answered battles can be voted for one more hour."
        ),
        _("The campaign is over. Thank you."),
    ),
    RefusalCode.ACCOUNT_NEEDED: Refusal(
        403,
        _("This campaign needs an account. Sign up or log in on your page; your message is kept."),
        _("This campaign needs an account. Sign up or log in first."),
    ),
    RefusalCode.NOTHING_TO_JUDGE: Refusal(
        404,
        _(
            "You have seen every pair that waits for a judgement. Begin a battle of your own, or come back tomorrow."
        ),
    ),
    RefusalCode.TOO_FAST: Refusal(429, _("That was too much at once. Try again in {n} seconds.")),
    RefusalCode.TOO_MANY_LINES: Refusal(
        429, _("Too many pages of Lehia are open from here. Close some and reload this one.")
    ),
    VoteAlreadyCast: Refusal(409, _("You have already voted in this battle; that vote stands.")),
    NotVotable: Refusal(409, _("You can vote once both answers are complete.")),
    CampaignOver: Refusal(
        409, _("The campaign is over and takes no more votes. Thank you for your battles.")
    ),
    AccountNeeded: Refusal(
        403, _("This campaign takes votes of accounts. Sign up or log in: the battle comes along.")
    ),
    CheckNeeded: Refusal(
        403,
        _("This campaign asks for a short Basque check before the first vote; the battle waits for you."),
    ),
    VoterBanned: Refusal(403, _("The moderators have closed Lehia to you: no vote of yours is taken.")),
}


def refusal_of(error: Refused | VoteRefused) -> Refusal:
    return REFUSALS.get(error.code if isinstance(error, Refused) else type(error), OTHER)


def of_messages() -> dict[str, Text]:
    """By its code, what a battle's page says of a refused frame; what is not here is told as ``other``."""
    told = {
        key.value: refusal.text
        for key, refusal in REFUSALS.items()
        if isinstance(key, RefusalCode) and key is not RefusalCode.NOTHING_TO_JUDGE
    }
    return told | {"other": OTHER.text}
