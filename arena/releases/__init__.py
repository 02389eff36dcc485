"""What a release is made of beside its rows: names of files, boards of its rows, manifest, card, Croissant. Pure: it knows no database."""
