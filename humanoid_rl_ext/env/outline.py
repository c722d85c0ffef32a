"""What of an environment decides which algorithms can learn in it, known before any is built."""

from __future__ import annotations

from typing import TYPE_CHECKING

from humanoid_rl_ext.env.transition import ActionSpec, AgentSpec, EnvSpec

if TYPE_CHECKING:
    from humanoid_rl_ext.task.schema import Task


def outline(task: Task | str) -> EnvSpec:
    """The kind of the actions, the agents and who is rewarded; all sizes are zero.

    Of a Task of ours it costs nothing. An environment of Gymnasium's or PettingZoo's is made once, and asked.

    Raises:
        BadInputError: for one of theirs that cannot be made.
    """
    if not isinstance(task, str):
        action = ActionSpec(task.action_kind, 0)
        agents = tuple(AgentSpec(name, (), action) for name in task.agent_names)
        return EnvSpec(0, {}, action, task.max_episode_length, None, agents, task.reward_per_agent)
    from humanoid_rl_ext.env.make import make_env

    env = make_env(task, num_envs=1)
    env.close()
    return env.spec
