"""What a user may say about a robot that its file does not: roles, joint settings, the standing pose."""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from humanoid_rl_ext.errors import RobotError, did_you_mean
from humanoid_rl_ext.robot.bundled import BUNDLED
from humanoid_rl_ext.robot.description import Role

PRESET_FOLDER = Path(__file__).parents[2] / "config" / "robots"

NotNegative = Annotated[float, Field(ge=0.0)]
Positive = Annotated[float, Field(gt=0.0)]


class JointOverride(BaseModel):
    """Settings of the joints that match a pattern; what is left out stays as the file has it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    stiffness: NotNegative | None = Field(default=None, description="Drive stiffness (N m/rad, or N/m).")
    damping: NotNegative | None = Field(default=None, description="Drive damping (N m s/rad, or N s/m).")
    effort_limit: NotNegative | None = Field(default=None, description="Largest drive effort (N m, or N).")
    velocity_limit: Positive | None = Field(default=None, description="Largest speed (rad/s, or m/s).")
    armature: NotNegative | None = Field(
        default=None, description="Inertia that the motor adds to the joint (kg m2, or kg)."
    )
    friction: NotNegative | None = Field(
        default=None, description="Coulomb friction: effort that opposes any motion (N m, or N)."
    )
    passive_damping: NotNegative | None = Field(
        default=None, description="Viscous friction beside the drive's damping (N m s/rad, or N s/m)."
    )
    friction_coefficient: NotNegative | None = Field(
        default=None, description="PhysX' friction in proportion to load; acts only without the other two frictions."
    )
    default: float | None = Field(default=None, description="Position in the standing pose (rad, or m).")
    lower: float | None = Field(default=None, description="Lower limit (rad, or m).")
    upper: float | None = Field(default=None, description="Upper limit (rad, or m).")

    @model_validator(mode="after")
    def _limits_are_ordered(self) -> JointOverride:
        if self.lower is not None and self.upper is not None and self.lower > self.upper:
            raise ValueError(f"lower ({self.lower}) is above upper ({self.upper})")
        if any(value is not None and math.isnan(value) for value in self.model_dump().values()):
            raise ValueError("a value is not a number")
        return self


class RobotOverrides(BaseModel):
    """Corrections to a robot's description. Patterns are regular expressions that match a whole name."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    roles: dict[Role, list[str]] = Field(
        default_factory=dict, description="Patterns of body names for each role: base, foot, hand, head."
    )
    joints: dict[str, JointOverride] = Field(
        default_factory=dict, description="Settings by pattern of joint name; of several matches the last one wins."
    )
    standing_height: Positive | None = Field(
        default=None, description="Height of the base above the ground when standing (m); worked out when left out."
    )
    fixed_base: bool | None = Field(
        default=None, description="Whether the base is fixed to the world; the file's word if unset."
    )

    @model_validator(mode="after")
    def _patterns_compile(self) -> RobotOverrides:
        for pattern in [*self.joints, *(pattern for patterns in self.roles.values() for pattern in patterns)]:
            try:
                re.compile(pattern)
            except re.error as error:
                raise ValueError(f"'{pattern}' is not a regular expression: {error}") from None
        return self

    def over(self, weaker: RobotOverrides) -> RobotOverrides:
        """These overrides laid over weaker ones, joint setting by joint setting; later patterns win."""
        joints = dict(weaker.joints)
        for pattern, mine in self.joints.items():
            theirs = joints.pop(pattern, None)
            known = theirs.model_dump(exclude_none=True) if theirs else {}
            joints[pattern] = JointOverride(**{**known, **mine.model_dump(exclude_none=True)})
        return RobotOverrides(
            roles={**weaker.roles, **self.roles},
            joints=joints,
            standing_height=self.standing_height if self.standing_height is not None else weaker.standing_height,
            fixed_base=self.fixed_base if self.fixed_base is not None else weaker.fixed_base,
        )

    def only_matching(self, joints: list[str], bodies: list[str]) -> RobotOverrides:
        """These overrides without the patterns that match none of the given names."""
        return RobotOverrides(
            roles={
                role: kept
                for role, patterns in self.roles.items()
                if (kept := [pattern for pattern in patterns if matching(pattern, bodies)])
            },
            joints={pattern: value for pattern, value in self.joints.items() if matching(pattern, joints)},
            standing_height=self.standing_height,
            fixed_base=self.fixed_base,
        )


def matching(pattern: str, names: list[str]) -> list[str]:
    """The names that the whole pattern matches, in their order."""
    compiled = re.compile(pattern)
    return [name for name in names if compiled.fullmatch(name)]


def matching_or_error(pattern: str, names: list[str], kind: str, robot: str) -> list[str]:
    """The names that the pattern matches; RobotError with the nearest name when there is none."""
    found = matching(pattern, names)
    if not found:
        raise RobotError(f"robot '{robot}': no {kind} matches '{pattern}'; {did_you_mean(pattern, names)}")
    return found


def read_overrides(path: Path) -> RobotOverrides:
    """The overrides in a YAML file. RobotError names the file and the key that is wrong."""
    try:
        data: Any = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    except (OSError, UnicodeDecodeError) as error:
        raise RobotError(f"{path}: cannot be read: {error}") from error
    except yaml.YAMLError as error:
        raise RobotError(f"{path}: not YAML: {' '.join(str(error).split())}") from error
    if not isinstance(data, dict):
        raise RobotError(f"{path}: expected keys such as 'roles:' and 'joints:', found {type(data).__name__}")
    try:
        return RobotOverrides(**data)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        hint = ""
        if first["type"] == "extra_forbidden":
            known = JointOverride.model_fields if first["loc"][0] == "joints" else RobotOverrides.model_fields
            hint = f"; {did_you_mean(str(first['loc'][-1]), known)}"
        raise RobotError(f"{path}: {where}: {first['msg']}{hint}") from error


def preset_overrides(*names: str, bundled: bool = False) -> RobotOverrides | None:
    """The overrides in config/robots of the first name that equals, or starts with, a preset's name and ``_``.

    Presets of the bundled robots are for those alone: many files are called humanoid.usda.
    """
    presets = sorted(PRESET_FOLDER.glob("*.yaml"), key=lambda path: (-len(path.stem), path.stem))
    for name in names:
        for path in presets:
            stem = path.stem.lower()
            if (stem in BUNDLED) == bundled and (name.lower() == stem or name.lower().startswith(f"{stem}_")):
                return read_overrides(path)
    return None
