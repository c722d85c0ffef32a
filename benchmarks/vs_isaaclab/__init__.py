"""One task, learnt by Isaac Lab 3.0.0 with rsl_rl 5.5.1 and by Humanoid RL, measured side by side.

Equal on both sides (``task.yaml`` and ``shared.py`` hold the numbers, ``peer_task.py`` gives them to Isaac Lab):
- robot: Newton's ``humanoid.usda`` without its collision groups (with them Newton lets only the head touch the ground)
  and with a drive on the five joints that lack one; position drives 60 N m/rad, 6 N m s/rad, armature 0.02 kg m2,
  effort limit 200 N m, speed limit 100 rad/s, no joint friction, on all 21 joints; no self-collision
- ground: an endless plane, friction 1, no restitution; gravity 9.81 m/s2; robots 4 m apart
- time: sub-step 1/120 s, two to a control step, episodes of 20 s
- actions: joint positions, standing pose plus 0.5 rad times the action
- observations (75): linear and angular velocity of the base, gravity and command in its frame, joint positions from the
  standing pose, joint velocities, last action; no noise
- commands: vx -0.5 to 1.5, vy -0.5 to 0.5 m/s, yaw -1 to 1 rad/s, uniform, drawn anew every 5 s
- rewards: eleven terms with the same formulas and weights, two of them from contact forces and air times
- an episode ends by the base's height (60 % of standing), its tilt (1 rad) or the time limit
- start: the standing pose, any yaw, joints up to 0.1 rad off
- PPO: 24 steps, 5 epochs of 4 minibatches, two networks 512-256-128 with ELU, observations normalised, learning rate
  1e-3 steered for a divergence of 0.01, clip 0.2 (values too), gamma 0.99, lambda 0.95, entropy 0.01, gradient norm 1,
  noise 1 at the start, Adam's epsilon 1e-8
- solvers, in the sides that are called "at the peer's settings": MuJoCo-Warp with Newton's method, at most 100
  iterations and 50 of the line search, pyramidal cones, implicitfast, room for 200 rows and 40 contacts; PhysX with
  four position and no velocity iterations, external forces once per sub-step

Not equal, because one side has no such choice:
- Isaac Lab pays no reward for steps while the level part of the command is below 0.1 m/s, ours while all of it is
- rsl_rl adds the discounted value of the observation before a time limit to the reward, ours values the last one
- rsl_rl draws one order of samples for all epochs, ours one per epoch; initial weights follow each side's own rule, as
  do the stiffness of contacts and limits and what the engines' wrappers add to a scene
- rsl_rl multiplies matrices in TF32 (Isaac Lab's training script allows it); ours multiplies those of gradients in
  bfloat16 by default, and in TF32 in the side that is called so
- ours clips actions at plus and minus 100 and normalised observations at 100, and noise never falls below 0.01

Isaac Lab runs its manager-based environment, which all its velocity tasks use, and on Newton one CUDA graph of both
sub-steps, as by default. Its experimental Warp front end is measured as a side of its own.
"""
