from __future__ import annotations

import pytest

from humanoid_rl_ext.errors import BadInputError
from humanoid_rl_ext.train.start import BYTES_PER_BODY, available_memory, check_memory


def test_more_environments_than_memory_holds_are_refused_with_the_number_that_fits() -> None:
    with pytest.raises(BadInputError, match=r"200 environments of 10 bodies .*; 100 would fit"):
        check_memory(10, 200, 100 * 10 * BYTES_PER_BODY)


def test_as_many_environments_as_memory_holds_are_let_through() -> None:
    check_memory(10, 100, 100 * 10 * BYTES_PER_BODY)
    assert available_memory() > 1e8
