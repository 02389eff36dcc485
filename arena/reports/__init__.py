"""The pages of a board beside its table: each computes tables and figures, one view shows them all."""
