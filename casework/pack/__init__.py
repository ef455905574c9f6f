"""What goes into every evidence pack as it is."""
