"""Raw text into a clean corpus: ``python -m training data corpus``.

The stages, each a pass over batches that any number of processes share (:mod:`training.data.cleaning.run`):

1. :mod:`.clean` reads documents, mends their characters, takes out foreign and boilerplate lines, poor and contaminated documents;
2. :mod:`.groups` finds equal documents and lines that stand in many documents, on disk;
3. :mod:`.thin` takes those out and sketches what is left;
4. :mod:`.near` finds near duplicates, on disk;
5. :mod:`.shards` writes what stays.

Nothing grows in memory with the input: see ``docs/corpus.md``.
"""
