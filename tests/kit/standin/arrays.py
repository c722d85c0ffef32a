"""The arrays of an articulation view by Kit's name: PhysX' name, whether they can be set, whether Newton has them."""

from __future__ import annotations

READ_WRITE = {
    "root_transforms": "ROOT_POSE",
    "root_velocities": "ROOT_VELOCITY",
    "dof_positions": "DOF_POSITION",
    "dof_velocities": "DOF_VELOCITY",
    "dof_position_targets": "DOF_POSITION_TARGET",
    "dof_velocity_targets": "DOF_VELOCITY_TARGET",
    "dof_actuation_forces": "DOF_ACTUATION_FORCE",
    "dof_limits": "DOF_LIMIT",
    "dof_stiffnesses": "DOF_STIFFNESS",
    "dof_dampings": "DOF_DAMPING",
    "dof_max_forces": "DOF_MAX_FORCE",
    "dof_max_velocities": "DOF_MAX_VELOCITY",
    "dof_armatures": "DOF_ARMATURE",
    "dof_friction_properties": "DOF_FRICTION_PROPERTIES",
    "masses": "BODY_MASS",
    "inertias": "BODY_INERTIA",
    "coms": "BODY_COM_POSE",
    "disable_gravities": "BODY_DISABLE_GRAVITY",
    "material_properties": "SHAPE_FRICTION_AND_RESTITUTION",
}
READ_ONLY = {
    "link_transforms": "LINK_POSE",
    "link_velocities": "LINK_VELOCITY",
    "drive_types": "DOF_DRIVE_TYPE",
}
NOT_IN_NEWTON = frozenset({"drive_types", "dof_friction_properties", "disable_gravities", "material_properties"})
"""What Newton's backend of the tensor views answers False to, so that Python raises."""
