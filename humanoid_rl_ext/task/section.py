"""What every part of a Task is made of."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field
from pydantic_core import PydanticCustomError


def quantity(default: Any = ..., *, unit: str = "", help: str, **bounds: Any) -> Any:
    """A field with one line of help, a unit and bounds, all readable from the model's schema."""
    return Field(default, description=help, json_schema_extra={"unit": unit} if unit else None, **bounds)


class Section(BaseModel):
    """Base of every part of a Task: unknown keys are errors, defaults are checked too."""

    model_config = ConfigDict(extra="forbid", validate_default=True, allow_inf_nan=False)


def problem(at: tuple[str, ...], message: str) -> PydanticCustomError:
    """A validation error that knows the place below the model where the mistake stands."""
    return PydanticCustomError("term", "{message}", {"message": message, "at": at})
