"""``manage.py erase --participant ID | --email ADDRESS``: erase somebody who asked for it in another way than on their page."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError, CommandParser

from arena.errors import StaffStays
from arena.management.accounts import BAD_INPUT, account_of
from arena.models import Participant
from arena.services.erasure import erase_account, erase_participant

FAILED = 1


class Command(BaseCommand):
    help = "Erase a volunteer, or whoever has an account, for good: account, addresses, sessions, texts."

    def add_arguments(self, parser: CommandParser) -> None:
        who = parser.add_mutually_exclusive_group(required=True)
        who.add_argument("--participant", metavar="ID", type=UUID)
        who.add_argument("--email", metavar="ADDRESS")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            if options["email"]:
                erase_account(user_id=account_of(options["email"]).pk)
            else:
                erase_participant(participant_id=options["participant"])
        except Participant.DoesNotExist:
            raise CommandError("there is no such participant, or no longer", returncode=BAD_INPUT) from None
        except StaffStays as refusal:
            raise CommandError(str(refusal), returncode=FAILED) from None
        self.stdout.write(json.dumps({"ok": True}))
