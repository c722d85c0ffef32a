"""Python packages that training needs and Isaac Sim may lack: found, and installed by Kit's own installer."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass

import omni.kit.pipapi

from humanoid_rl_ext.errors import HumanoidRLError

TORCH_EXTENSION = "omni.isaac.ml_archive"
"""Brings PyTorch to Isaac Sim."""


class PackageError(HumanoidRLError):
    """A Python package is missing and cannot be had."""


@dataclass(frozen=True, slots=True)
class Package:
    """A package of the Python Package Index."""

    name: str
    version: str

    @property
    def requirement(self) -> str:
        """As pip takes it."""
        return f"{self.name}=={self.version}"


REQUIRED = (Package("safetensors", "0.8.0"),)
"""What training needs and Isaac Sim does not bring; versions as in requirements.lock."""


def check_torch() -> None:
    """Raises PackageError where PyTorch is missing, which Isaac Sim brings by itself."""
    if importlib.util.find_spec("torch") is None:
        raise PackageError(
            f"PyTorch is missing: enable the extension {TORCH_EXTENSION} in the Extension Manager, which brings it"
        )


def missing() -> list[Package]:
    """The required packages that cannot be imported."""
    importlib.invalidate_caches()
    return [package for package in REQUIRED if importlib.util.find_spec(package.name) is None]


def install(packages: list[Package]) -> None:
    """Installs packages with Kit's pip; takes seconds.

    Raises:
        PackageError: where that fails, for instance without a network; the message says how to do it by hand.
    """
    for package in packages:
        done = omni.kit.pipapi.install(package.name, version=package.version, extra_args=["--no-deps"])
        if not done:
            break
    left = missing()
    if left:
        names = " ".join(package.requirement for package in left)
        raise PackageError(
            f"{names} could not be installed; without a network: download it elsewhere (pip download {names}), then in "
            f"Isaac Sim's folder: ./python.sh -m pip install <the file>; see docs/isaac-sim.md"
        )
