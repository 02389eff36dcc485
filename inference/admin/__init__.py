"""Candidates and endpoints in the admin: what is added here serves without a restart."""

from inference.admin import candidates, endpoints

__all__ = ["candidates", "endpoints"]
