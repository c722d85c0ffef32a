"""Adam for parameters that lie in one vector."""

from __future__ import annotations

import torch

CHUNK = 8192
"""Elements that one block of threads works on, on a GPU."""


class Adam:
    """Adam whose learning rate and step count stay on the device.

    A handful of operations on the whole vector: for the small networks of control, ``torch.optim.Adam`` spends longer
    on bookkeeping than on arithmetic. Source: Kingma and Ba 2015, algorithm 1.
    """

    def __init__(
        self,
        parameters: torch.nn.Parameter,
        learning_rate: float,
        betas: tuple[float, float] = (0.9, 0.999),
        epsilon: float = 1e-8,
        fused: bool = False,
    ) -> None:
        """``fused``: on the CPU too, one pass over all vectors; on a GPU it is always so."""
        self.parameters = parameters
        self.betas = betas
        self.epsilon = epsilon
        self.learning_rate = torch.tensor(learning_rate, device=parameters.device)
        self.first_moment = torch.zeros_like(parameters.data)
        self.second_moment = torch.zeros_like(parameters.data)
        on_gpu = parameters.device.type == "cuda"
        self._fused = fused or on_gpu
        self._chunk = CHUNK if on_gpu else parameters.numel()
        precision = torch.float32 if on_gpu else torch.float64
        self.steps = torch.zeros((), dtype=precision, device=parameters.device)

    @torch.no_grad()
    def step(self, gradient: torch.Tensor, divisor: torch.Tensor | None = None) -> None:
        """Moves the parameters against a gradient of the same shape, which may be divided by a scalar, in place."""
        beta1, beta2 = self.betas
        self.steps += 1.0
        if self._fused:
            vectors = (self.parameters.data, gradient, self.first_moment, self.second_moment)
            parameters, gradients, first, second = (list(vector.split(self._chunk)) for vector in vectors)
            torch._fused_adam_(
                parameters,
                gradients,
                first,
                second,
                [],
                [self.steps] * len(parameters),
                lr=self.learning_rate,
                beta1=beta1,
                beta2=beta2,
                weight_decay=0.0,
                eps=self.epsilon,
                amsgrad=False,
                maximize=False,
                grad_scale=divisor,
            )
            return
        if divisor is not None:
            gradient.div_(divisor)
        self.first_moment.lerp_(gradient, 1.0 - beta1)
        self.second_moment.mul_(beta2).addcmul_(gradient, gradient, value=1.0 - beta2)
        unbias1 = 1.0 - torch.pow(beta1, self.steps)
        unbias2 = 1.0 - torch.pow(beta2, self.steps)
        deviation = self.second_moment.sqrt().mul_(unbias2.rsqrt()).add_(self.epsilon)
        step_size = (self.learning_rate / unbias1).to(gradient.dtype)
        self.parameters.data.sub_(deviation.reciprocal_().mul_(self.first_moment).mul_(step_size))

    def state_dict(self) -> dict[str, torch.Tensor]:
        """The moments, the step count and the learning rate."""
        return {name: tensor.clone() for name, tensor in self._state().items()}

    def load_state_dict(self, state: dict[str, torch.Tensor]) -> None:
        """Restores ``state_dict``."""
        for name, tensor in self._state().items():
            tensor.copy_(state[name])

    def _state(self) -> dict[str, torch.Tensor]:
        return {
            "first_moment": self.first_moment,
            "second_moment": self.second_moment,
            "steps": self.steps,
            "learning_rate": self.learning_rate,
        }
