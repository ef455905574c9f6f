"""One step of the flow each, safe to run twice."""
