"""What keeps the process running: embedded parts, the warm worker, the timekeeper and the `mash` command."""
