"""What Claude Code sessions cost, from a persistent index over their transcripts."""

__version__ = "0.2.0"
