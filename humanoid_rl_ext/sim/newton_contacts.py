"""Net contact forces per body, from MuJoCo-Warp's contacts."""

from __future__ import annotations

import torch
import warp as wp

from humanoid_rl_ext.sim.newton_kernels import normal_forces
from humanoid_rl_ext.sim.newton_model import NewtonModel


class NewtonContacts:
    """Sums the contacts of the last sub-step into one persistent tensor."""

    def __init__(
        self, built: NewtonModel, num_envs: int, num_bodies: int, device: torch.device, team_size: int = 1
    ) -> None:
        """``team_size`` robots share a world."""
        solver = built.solver
        shape_of_geom = torch.as_tensor(solver.mjc_geom_to_newton_shape.numpy()[0])
        on_robot = torch.as_tensor(solver.mj_model.geom_bodyid > 0)
        body_of_geom = torch.full_like(shape_of_geom, -1, dtype=torch.int32)
        shapes, colliders = shape_of_geom[on_robot].long(), built.colliders.cpu()
        mate, shape = shapes // max(len(colliders), 1), shapes % max(len(colliders), 1)
        body_of_geom[on_robot] = (mate * num_bodies + colliders[shape]).int()
        self._data = solver.mjw_data
        self._body_of_geom = wp.array(body_of_geom.numpy(), dtype=int, device=str(device))
        self._forces = torch.zeros(num_envs, num_bodies, 3, device=device)
        self._out = wp.from_torch(self._forces.view(-1, team_size * num_bodies, 3), dtype=wp.vec3)

    def read(self) -> torch.Tensor:
        """(num_envs, bodies, 3) normal forces (N, world frame); the same tensor each call, no word to the host."""
        data, contact = self._data, self._data.contact
        self._out.zero_()
        wp.launch(
            normal_forces,
            data.naconmax,
            [
                data.nacon,
                contact.worldid,
                contact.geom,
                contact.frame,
                contact.dim,
                contact.efc_address,
                data.efc.force,
                data.njmax,
                self._body_of_geom,
            ],
            [self._out],
            device=self._out.device,
        )
        return self._forces
