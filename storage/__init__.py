"""storage remembers: tables, migrations, and one module of rules for each noun.

A rule is a function that takes `db: AsyncSession`, and `now: datetime` where it needs them. It never
commits, never reads the clock, and knows no messenger and no language, so that the chat, the
console, the clock and the command line can't disagree.
"""
