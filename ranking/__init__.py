"""Pairwise statistics: tallies of votes, Bradley-Terry boards with honest intervals, and the draw of the next pair.

Pure cores (no Django): types, errors, verdict, tally, connectivity, fit, uncertainty, ranks, board, missing, plot, sampler, readers, formats, cli, reference.
In the database: models, selectors, services.
"""
