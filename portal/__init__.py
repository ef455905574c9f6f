"""The hub's door: a JSON API over HTTP."""
