"""The record: tables with the moves that their rows may make, the area profile, and the settings."""
