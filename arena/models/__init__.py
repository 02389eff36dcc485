"""The arena's tables: people, campaigns, battles, votes."""

from arena.models.api import ApiToken, ApiTokenUse, RateWindow
from arena.models.audit import AuditEntry
from arena.models.battles import Answer, Battle, Replacement, Turn
from arena.models.campaigns import Campaign, CampaignText
from arena.models.checks import CheckQuestion, CheckResult
from arena.models.cooldown import Cooldown
from arena.models.credits import Credit
from arena.models.data_log import DataEntry
from arena.models.doubts import Doubt
from arena.models.exclusions import Exclusion
from arena.models.export_jobs import ExportJob
from arena.models.exports import Export, ExportKey
from arena.models.feedback import SpanFeedback
from arena.models.findings import Finding
from arena.models.imports import ImportedVote
from arena.models.judging import Control
from arena.models.moderation import ModerationEntry, Report
from arena.models.operations import Operations
from arena.models.people import Consent, Participant, User
from arena.models.prompts import Prompt, PromptSet, SetAnswer
from arena.models.raffles import Draw, TicketHolder
from arena.models.releases import Release, ReleaseEvent, ReleaseFile, ReleaseRemoval
from arena.models.runs import TrainingRun
from arena.models.sessions import Session
from arena.models.studies import Study
from arena.models.votes import Judgement, Vote

__all__ = [
    "Answer",
    "ApiToken",
    "ApiTokenUse",
    "AuditEntry",
    "Battle",
    "Campaign",
    "CampaignText",
    "CheckQuestion",
    "CheckResult",
    "Consent",
    "Control",
    "Cooldown",
    "Credit",
    "DataEntry",
    "Doubt",
    "Draw",
    "Exclusion",
    "Export",
    "ExportJob",
    "ExportKey",
    "Finding",
    "ImportedVote",
    "Judgement",
    "ModerationEntry",
    "Operations",
    "Participant",
    "Prompt",
    "PromptSet",
    "RateWindow",
    "Release",
    "ReleaseEvent",
    "ReleaseFile",
    "ReleaseRemoval",
    "Replacement",
    "Report",
    "Session",
    "SetAnswer",
    "SpanFeedback",
    "Study",
    "TicketHolder",
    "TrainingRun",
    "Turn",
    "User",
    "Vote",
]
