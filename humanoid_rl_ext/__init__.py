"""Humanoid RL: teach robots from USD files to move, inside Isaac Sim or without it."""

__version__ = "0.1.0"
