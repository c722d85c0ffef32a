"""Changing a learner's settings while it learns."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ValidationError

from humanoid_rl_ext.errors import TaskError, did_you_mean


def edited[Settings: BaseModel](settings: Settings, name: str, value: Any) -> Settings:
    """A copy of ``settings`` with one field changed.

    Raises TaskError for an unknown field, one that is fixed while training, and a value out of bounds.
    """
    fields = type(settings).model_fields
    if name not in fields:
        raise TaskError(f"unknown learner setting '{name}': {did_you_mean(name, fields)}")
    if not is_live(settings, name):
        raise TaskError(f"learner setting '{name}' cannot change while training; start a new run with it")
    try:
        return type(settings).model_validate({**settings.model_dump(), name: value})
    except ValidationError as error:
        first = error.errors()[0]
        raise TaskError(f"learner setting '{name}' = {value!r}: {first['msg']}") from error


def is_live(settings: BaseModel, name: str) -> bool:
    """Whether a setting exists and may change while training."""
    field = type(settings).model_fields.get(name)
    return field is not None and isinstance(field.json_schema_extra, dict) and bool(field.json_schema_extra.get("live"))
