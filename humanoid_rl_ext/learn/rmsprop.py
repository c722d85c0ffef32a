"""RMSprop for parameters that lie in one vector."""

from __future__ import annotations

import torch


class RMSprop:
    """RMSprop whose learning rate stays on the device; it takes the place of ``Adam``.

    Source: Mnih et al. 2016, equations 8 and 9 (no momentum), with epsilon added to the root instead of below it, as
    PyTorch has it: below it, 1e-5 would hold most steps back, since gradients of a norm of 0.5 have tiny elements.
    """

    def __init__(
        self, parameters: torch.nn.Parameter, learning_rate: float, decay: float = 0.99, epsilon: float = 1e-5
    ) -> None:
        self.parameters = parameters
        self.decay = decay
        self.epsilon = epsilon
        self.learning_rate = torch.tensor(learning_rate, device=parameters.device)
        self.mean_square = torch.zeros_like(parameters.data)

    @torch.no_grad()
    def step(self, gradient: torch.Tensor, divisor: torch.Tensor) -> None:
        """Moves the parameters against a gradient of the same shape, which is divided by a scalar in place."""
        gradient.div_(divisor)
        self.mean_square.mul_(self.decay).addcmul_(gradient, gradient, value=1.0 - self.decay)
        scale = self.mean_square.sqrt().add_(self.epsilon).reciprocal_()
        self.parameters.data.sub_(scale.mul_(gradient).mul_(self.learning_rate))

    def state_dict(self) -> dict[str, torch.Tensor]:
        """The mean square and the learning rate."""
        return {name: tensor.clone() for name, tensor in self._state().items()}

    def load_state_dict(self, state: dict[str, torch.Tensor]) -> None:
        """Restores ``state_dict``."""
        for name, tensor in self._state().items():
            tensor.copy_(state[name])

    def _state(self) -> dict[str, torch.Tensor]:
        return {"mean_square": self.mean_square, "learning_rate": self.learning_rate}
