"""Distributions by inverse transform: one uniform number in, the place of the sample in its range out."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch

from humanoid_rl_ext.env.terms import BoundTerm, RandomBlock, bind
from humanoid_rl_ext.mdp.step import Step
from humanoid_rl_ext.robot.description import RobotDescription
from humanoid_rl_ext.task.schema import RandomisationSection

Warp = Callable[[torch.Tensor], torch.Tensor]
"""Uniform numbers in [0, 1) to places in [0, 1], elementwise: a term puts them between the ends of its range."""
SMALLEST = 1e-12


def warp(section: RandomisationSection, within: torch.Tensor | None, device: torch.device) -> Warp | None:
    """What turns uniform numbers into those of the section's distribution; None where they are uniform.

    ``within`` is the section's one range (low, high) on the device, read anew at every call.
    ``normal`` is cut off at ``deviations`` standard deviations, where the ends of the range lie.
    """
    match section.distribution:
        case "normal":
            return _normal(section.deviations)
        case "log_uniform":
            assert within is not None
            return _log_uniform(within)
        case "choice":
            return _choice(torch.tensor(section.choices, device=device))
    return None


def bind_randomisation(
    table: dict[str, RandomisationSection], robot: RobotDescription, step: Step, block: RandomBlock
) -> dict[str, BoundTerm]:
    """The enabled randomisations by entry name, each with its distribution."""
    terms = bind(table.items(), robot, step, block)
    for name, term in terms.items():
        ranges = [key for key, param in term.spec.params.items() if param.type == "range"]
        term.warp = warp(table[name], term.param(ranges[0]) if len(ranges) == 1 else None, step.device)
    return terms


def _normal(deviations: float) -> Warp:
    tail = 0.5 * math.erfc(deviations / math.sqrt(2.0))
    return lambda u: torch.special.ndtri(tail + (1.0 - 2.0 * tail) * u).div(2.0 * deviations).add(0.5).clamp(0.0, 1.0)


def _log_uniform(within: torch.Tensor) -> Warp:
    def place(u: torch.Tensor) -> torch.Tensor:
        low, high = within.unbind()
        return (torch.pow(high / low, u) - 1.0) * (low / (high - low).clamp(min=SMALLEST))

    return place


def _choice(values: torch.Tensor) -> Warp:
    low, high = values.aminmax()
    places = (values - low) / (high - low).clamp(min=SMALLEST)
    return lambda u: places[(u * len(places)).long().clamp(max=len(places) - 1)]
