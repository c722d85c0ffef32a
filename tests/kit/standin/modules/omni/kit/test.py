"""Stand-in for ``omni.kit.test``: test cases whose methods are coroutines; whoever drives the updates runs them."""

from __future__ import annotations

import unittest


class AsyncTestCase(unittest.TestCase):
    """A test case for coroutines in the application's loop."""
