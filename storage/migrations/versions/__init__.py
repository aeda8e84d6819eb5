"""One file for each step; written by alembic, read and corrected by a person."""
