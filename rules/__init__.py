"""What the hub believes: pure decisions, importable without Prefect, FastAPI or a database."""
