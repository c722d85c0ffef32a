"""Tests that run inside Isaac Sim, by its own test runner; see docs/isaac-sim.md."""

from humanoid_rl_ext.tests.test_in_isaac_sim import TestInIsaacSim

__all__ = ["TestInIsaacSim"]
