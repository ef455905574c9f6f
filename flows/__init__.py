"""The process, to be read aloud."""
