"""Long rehearsals of disasters: `python -m tests.soak`."""
