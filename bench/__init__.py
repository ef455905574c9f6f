"""`make bench`: what the hub costs and how long it takes, each figure beside its peer, measured in the same run."""
