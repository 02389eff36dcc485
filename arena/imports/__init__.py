"""Votes of other arenas: files in a published layout, read a row at a time and checked. Pure: knows no database."""
