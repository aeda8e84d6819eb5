"""How fast, beside what: `python -m tests.bench`."""
