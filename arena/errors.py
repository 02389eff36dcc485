"""What the arena refuses.

ArenaError
├── Refused              a frame or request that cannot be followed; carries a :class:`RefusalCode`
├── IllegalMove          the battle's state does not allow this step
├── StaffStays           an account of staff cannot delete itself
├── RaffleRefused        a raffle that cannot be committed to or drawn now; carries why
├── NicknameTaken        somebody else is on the boards of contributors under it
├── NotExported          a training run has no model that could be registered
├── BadPrompts           an uploaded list of prompts; carries lines and what is wrong there
├── BadRows              a file has rows that cannot be used; says which and why
├── OtherVotes           a board holds votes that came another way
├── PromptSetTaken       another list has that code
├── CampaignNotReady     a campaign cannot be opened; carries what is missing
├── ExportRefused        what was asked for cannot be exported; says why and what to do
├── ReleaseRefused       a release cannot be made, moved on or given away like this; says why and what to do
├── BackupRefused        a backup cannot be made, read or restored like this; says why and what to do
├── TooManyStudies       so many analyses wait that no other one is taken
├── TooManyReports       a volunteer reported as many battles as a day takes
├── NoSuchPassage        there is no such passage in an answer of a voted battle of theirs
├── TooManyPassages      a battle has as many marks as it takes
├── NotVoted             there is no vote to set aside
└── VoteRefused
    ├── VoteAlreadyCast  the battle holds another vote
    ├── NotVotable       a side of the last turn is not complete
    ├── NotYourBattle    the battle belongs to somebody else
    ├── CampaignOver     the campaign takes no more votes
    ├── AccountNeeded    the campaign takes votes of accounts only
    ├── CheckNeeded      the campaign asks for its Basque check first
    └── VoterBanned      moderators closed the site to this volunteer
"""

from __future__ import annotations

from collections.abc import Sequence

from arena.types import CampaignProblem, ExportProblem, RaffleProblem, RefusalCode
from ranking.errors import BadInput


class ArenaError(Exception):
    """The root of what this package raises on purpose."""


class Refused(ArenaError):
    def __init__(self, code: RefusalCode, retry_s: int | None = None) -> None:
        super().__init__(code.value)
        self.code = code
        self.retry_s = retry_s


class IllegalMove(ArenaError):
    pass


class StaffStays(ArenaError):
    pass


class RaffleRefused(ArenaError):
    def __init__(self, problem: RaffleProblem) -> None:
        super().__init__(problem.value)
        self.problem = problem


class NicknameTaken(ArenaError):
    pass


class NotExported(ArenaError):
    pass


class BadPrompts(ArenaError):
    def __init__(self, problems: Sequence[tuple[int, str]]) -> None:
        super().__init__("; ".join(f"line {line}: {problem}" for line, problem in problems))
        self.problems = tuple(problems)


class BadRows(ArenaError):
    """Of *n* bad rows *first* holds the first ones, by line."""

    def __init__(self, n: int, first: Sequence[BadInput]) -> None:
        lines = [str(problem) for problem in first]
        if n > len(first):
            lines.append(f"and {n - len(first)} more")
        super().__init__(
            "\n  ".join(lines if n == 1 else [f"{n} rows are bad, so nothing is imported", *lines])
        )
        self.n = n
        self.first = tuple(first)


class OtherVotes(ArenaError):
    pass


class PromptSetTaken(ArenaError):
    pass


class CampaignNotReady(ArenaError):
    def __init__(self, problems: Sequence[CampaignProblem]) -> None:
        super().__init__(", ".join(problem.value for problem in problems))
        self.problems = tuple(problems)


class NotVoted(ArenaError):
    pass


class NoSuchPassage(ArenaError):
    pass


class TooManyPassages(ArenaError):
    pass


class ExportRefused(ArenaError):
    """What was asked for cannot be exported; the words say why, and what to do."""

    def __init__(self, words: str, problem: ExportProblem = ExportProblem.REFUSED) -> None:
        super().__init__(words)
        self.problem = problem


class ReleaseRefused(ArenaError):
    pass


class BackupRefused(ArenaError):
    pass


class TooManyStudies(ArenaError):
    pass


class TooManyReports(ArenaError):
    pass


class VoteRefused(ArenaError):
    pass


class VoteAlreadyCast(VoteRefused):
    pass


class NotVotable(VoteRefused):
    pass


class NotYourBattle(VoteRefused):
    pass


class CampaignOver(VoteRefused):
    pass


class AccountNeeded(VoteRefused):
    pass


class CheckNeeded(VoteRefused):
    pass


class VoterBanned(VoteRefused):
    pass
