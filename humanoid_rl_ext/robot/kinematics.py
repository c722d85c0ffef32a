"""Forward kinematics in numpy: where every body is, given the base pose and the joint positions."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from humanoid_rl_ext.robot.rotation import quat_conjugate, quat_from_vector, quat_multiply, quat_rotate

if TYPE_CHECKING:
    from humanoid_rl_ext.robot.description import RobotDescription

Array = NDArray[np.float64]


class Kinematics:
    """The tree of a robot, ready to be posed: exponentials of the joint axes of the zero pose.

    The turning axes of one D6 joint add up to one rotation vector, as in PhysX. (Newton turns about x, y, z in
    sequence; for small angles the two agree.) Bodies and joints stand in the description's order.
    """

    def __init__(self, robot: RobotDescription) -> None:
        index = {body.name: i for i, body in enumerate(robot.bodies)}
        position = np.array([body.position for body in robot.bodies])
        rotation = np.array([body.rotation for body in robot.bodies])
        self._parent = [index[body.parent] if body.parent is not None else -1 for body in robot.bodies]
        self._joints: list[list[int]] = [[] for _ in robot.bodies]
        for j, joint in enumerate(robot.joints):
            self._joints[index[joint.child]].append(j)
        self._turns = [joint.type == "revolute" for joint in robot.joints]
        # Everything below is expressed in the parent body's frame, so a pose is built parent by parent.
        inverse = quat_conjugate(rotation)
        up = [max(parent, 0) for parent in self._parent]
        self._offset = quat_rotate(inverse[up], position - position[up])
        self._rest = quat_multiply(inverse[up], rotation)
        owner = [self._parent[index[joint.child]] for joint in robot.joints]
        axes = np.array([joint.axis for joint in robot.joints]).reshape(-1, 3)
        anchors = np.array([joint.anchor for joint in robot.joints]).reshape(-1, 3)
        self._axis = quat_rotate(inverse[owner], axes) if owner else axes
        self._anchor = quat_rotate(inverse[owner], anchors - position[owner]) if owner else anchors
        self.default_positions: Array = np.array([joint.default for joint in robot.joints])
        """Joint positions of the standing pose (num_joints,)."""

    def body_poses(self, root_position: ArrayLike, root_quat: ArrayLike, joints: ArrayLike) -> tuple[Array, Array]:
        """World positions (..., num_bodies, 3) and quaternions (..., num_bodies, 4; x, y, z, w) of all bodies.

        ``root_position`` (..., 3) and ``root_quat`` (..., 4) are the base body's pose, ``joints`` (...,
        num_joints) the positions in rad or m; leading dimensions broadcast.
        """
        joints = np.asarray(joints, dtype=np.float64)
        root_position = np.asarray(root_position, dtype=np.float64)
        root_quat = np.asarray(root_quat, dtype=np.float64)
        batch = np.broadcast_shapes(root_position.shape[:-1], root_quat.shape[:-1], joints.shape[:-1])
        count = len(self._parent)
        positions, quats = np.empty((*batch, count, 3)), np.empty((*batch, count, 4))
        positions[..., 0, :], quats[..., 0, :] = root_position, root_quat
        for body in range(1, count):
            slide, spin = np.zeros(3), np.zeros(3)
            arm = np.zeros(3)
            for joint in self._joints[body]:
                amount = self._axis[joint] * joints[..., joint, None]
                if self._turns[joint]:
                    spin = spin + amount
                    arm = self._anchor[joint]
                else:
                    slide = slide + amount
            turn = quat_from_vector(spin)
            offset = slide + arm - quat_rotate(turn, arm)
            parent = self._parent[body]
            local = offset + quat_rotate(turn, self._offset[body])
            positions[..., body, :] = positions[..., parent, :] + quat_rotate(quats[..., parent, :], local)
            rest = quat_multiply(turn, self._rest[body])
            quats[..., body, :] = quat_multiply(quats[..., parent, :], rest)
        return positions, quats
