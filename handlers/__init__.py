"""handlers talk: one module for each conversation, its states, buttons, words and handlers together.

They speak through `say` and never call a messenger; what is said leaves after the commit.
"""
