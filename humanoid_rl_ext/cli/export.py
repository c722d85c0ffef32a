"""``export``: a trained policy in a form that others can play."""

from __future__ import annotations

import argparse

from humanoid_rl_ext.cli.output import Output, working
from humanoid_rl_ext.errors import BadInputError

FORMATS = ("torchscript",)


def export(arguments: argparse.Namespace, out: Output) -> int:
    """Writes a checkpoint as a policy folder."""
    if arguments.format not in FORMATS:
        raise BadInputError(f"--format: unknown format '{arguments.format}'; known: {', '.join(FORMATS)}")
    names = None if arguments.dof_names is None else [name.strip() for name in arguments.dof_names.split(",")]
    with working(f"hrl: exporting {arguments.run}"):
        from humanoid_rl_ext.deploy.policy_folder import export_policy_folder

        folder = export_policy_folder(arguments.run, arguments.output, names)
    sizes = {term.name: term.data["size"] for term in folder.observations}
    data = {
        "folder": str(folder.path),
        "format": arguments.format,
        "policy": str(folder.policy),
        "env": str(folder.env),
        "checkpoint": folder.data["humanoid_rl"]["checkpoint"],
        "observations": sizes,
        "joint_names": list(folder.data["humanoid_rl"]["joints"].values()),
        "action_scale": folder.action_scale,
        "dt": folder.dt,
        "decimation": folder.decimation,
    }
    seen = ", ".join(f"{name} {size}" for name, size in sizes.items())
    text = (
        f"{folder.policy}\n{folder.env}\n"
        f"observations  {seen}\n"
        f"joints        {', '.join(data['joint_names'])}\n"
        f"action        every {folder.decimation} physics steps of {folder.dt:.6g} s, scale {folder.action_scale:g}"
    )
    out.result(data, text)
    return 0
