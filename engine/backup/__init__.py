"""`mash backup` and `mash restore`: the record as one encrypted file, and an empty record filled from it."""
