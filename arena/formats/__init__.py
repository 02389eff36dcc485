"""Formats that Django's own locales get wrong."""
