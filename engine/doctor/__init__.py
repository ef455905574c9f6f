"""`mash doctor`: what is wrong with a hub, in words, and the command that mends it."""
