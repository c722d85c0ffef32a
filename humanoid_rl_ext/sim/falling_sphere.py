"""The smallest run of PhysX: a sphere falls for half a second. `./hrl doctor` starts it as a process of its own."""

from __future__ import annotations

import time
import warnings

import numpy as np

GRAVITY, TIME_STEP, STEPS = 9.81, 1.0 / 120.0, 60
SPHERE = "/World/sphere"
STAGE = f"""#usda 1.0
(
    metersPerUnit = 1
    upAxis = "Z"
)
def Xform "World"
{{
    def PhysicsScene "physics"
    {{
        vector3f physics:gravityDirection = (0, 0, -1)
        float physics:gravityMagnitude = {GRAVITY}
    }}
    def Sphere "sphere" (prepend apiSchemas = ["PhysicsRigidBodyAPI", "PhysicsCollisionAPI"])
    {{
        double radius = 0.1
        double3 xformOp:translate = (0, 0, 10)
        uniform token[] xformOpOrder = ["xformOp:translate"]
    }}
}}
"""


def measured_drop() -> float:
    """How far PhysX lets the sphere fall, in metres."""
    import ovphysx
    import ovstage
    from ovphysx.types import TensorType

    ovstage.population.register_usd_schemas([str(ovphysx.codeless_schema_root()), str(ovphysx.newton_schema_root())])
    ovphysx.PhysX.set_cpu_mode(True)
    physx = ovphysx.PhysX(config=ovphysx.PhysXConfig(num_threads=1))
    stage = ovstage.Stage("falling_sphere")
    ovstage.population.open_usd_from_string(stage, STAGE, ordinal=1, domains=ovstage.PopulationDomain.ALL)
    stage.advance_write_floor(ordinal=1).wait()
    physx.attach_ovstage(stage, read_ordinal=1)
    physx.warmup()
    with warnings.catch_warnings(action="ignore", category=DeprecationWarning):
        binding = physx.create_tensor_binding(
            pattern=SPHERE, tensor_type=TensorType.RIGID_BODY_POSE, raise_if_empty=True
        )
    start, end = np.zeros((1, 7), np.float32), np.zeros((1, 7), np.float32)
    binding.read(start)
    for _ in range(STEPS):
        physx.step_sync(TIME_STEP)
    binding.read(end)
    binding.destroy()
    physx.wait_op(physx.reset_stage())
    physx.destroy()
    stage.destroy()
    return float(start[0, 2] - end[0, 2])


def expected_drop() -> float:
    """How far semi-implicit Euler lets it fall, in metres: g h^2 n (n + 1) / 2."""
    return GRAVITY * TIME_STEP**2 * STEPS * (STEPS + 1) / 2


def main() -> None:
    """Prints what was measured; ends with one line and exit status 1 when it is not free fall."""
    began = time.perf_counter()
    drop, expected = measured_drop(), expected_drop()
    seconds = time.perf_counter() - began
    if not abs(drop - expected) < 1e-3:
        raise SystemExit(f"a sphere fell {drop:.4f} m in {STEPS * TIME_STEP} s instead of {expected:.4f} m")
    print(f"a sphere fell {drop:.4f} m in {STEPS * TIME_STEP} s as it should ({seconds:.1f} s to start and step)")


if __name__ == "__main__":
    main()
