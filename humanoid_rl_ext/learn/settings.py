"""What a user can set about an algorithm. Imports no tensor library, so that a panel can draw it at once.

Each family of algorithms has a file of its own beside this one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

if TYPE_CHECKING:
    from humanoid_rl_ext.env.transition import EnvSpec

Width = Annotated[int, Field(ge=1, le=4096)]
LIVE: dict[str, Any] = {"live": True}
"""Marks what may change while training."""


class LearnerSettings(BaseModel):
    """What the settings of all algorithms share."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    def check_fit(self, spec: EnvSpec) -> None:
        """Raises BadInputError for what cannot work with such environments, before anything is allocated."""
