"""locales: the words of the three languages, read from their .po files at start."""
