"""Alembic revisions of the schema. A released revision is never edited."""
