"""What Claude Code sessions cost, from a persistent index over their transcripts."""

__version__ = "0.2.0"
RULES = 1  # of docs/accounting.md: one more takes back all sums and published answers that older rules made
