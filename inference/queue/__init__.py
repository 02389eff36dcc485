"""Who may ask an endpoint now, and who is next: shared by all processes."""

from inference.queue.gate import Gate
from inference.queue.terms import Terms
from inference.queue.ticket import Place, Ticket

__all__ = ["Gate", "Place", "Terms", "Ticket"]
