"""The arena's tables: people, campaigns, battles, votes."""

from arena.models.battles import Answer, Battle, Replacement, Turn
from arena.models.campaigns import Campaign, CampaignText
from arena.models.checks import CheckQuestion, CheckResult
from arena.models.credits import Credit
from arena.models.exclusions import Exclusion
from arena.models.feedback import SpanFeedback
from arena.models.findings import Finding
from arena.models.judging import Control
from arena.models.moderation import ModerationEntry, Report
from arena.models.people import Consent, Participant, User
from arena.models.prompts import Prompt, PromptSet, SetAnswer
from arena.models.raffles import Draw, TicketHolder
from arena.models.runs import TrainingRun
from arena.models.sessions import Session
from arena.models.votes import Judgement, Vote

__all__ = [
    "Answer",
    "Battle",
    "Campaign",
    "CampaignText",
    "CheckQuestion",
    "CheckResult",
    "Consent",
    "Control",
    "Credit",
    "Draw",
    "Exclusion",
    "Finding",
    "Judgement",
    "ModerationEntry",
    "Participant",
    "Prompt",
    "PromptSet",
    "Replacement",
    "Report",
    "Session",
    "SetAnswer",
    "SpanFeedback",
    "TicketHolder",
    "TrainingRun",
    "Turn",
    "User",
    "Vote",
]
