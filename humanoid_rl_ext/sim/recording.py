"""Stretches of torch work that are recorded into CUDA graphs, so that a step costs a few launches and no Python."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch

EAGER_CALLS = 3
"""Calls before the recording: libraries and allocators settle in them. They do their work like any other."""


class Recording:
    """Work without arguments or results that reads and writes tensors which stay where they are.

    On a GPU the first calls run it as it is, the next one records it, and from then on it is replayed: everything that
    Python decides is decided then. On the CPU every call runs it. What the work leaves in attributes stays valid: a
    replay writes to the same tensors. It must not synchronise, nor draw random numbers.
    """

    def __init__(self, work: Callable[[], object], device: torch.device) -> None:
        self._work, self._on_gpu = work, device.type == "cuda"
        self._calls = 0
        self._graph: torch.cuda.CUDAGraph | None = None

    def __call__(self) -> None:
        """Does the work."""
        if not self._on_gpu:
            self._work()
        elif self._graph is not None:
            self._graph.replay()
        elif self._calls < EAGER_CALLS:
            self._calls += 1
            self._work()
        else:
            self._record().replay()

    def forget(self) -> None:
        """Lets the next call record anew, because something that Python decides has changed."""
        self._graph = None

    def _record(self) -> torch.cuda.CUDAGraph:
        graph = torch.cuda.CUDAGraph()
        torch.cuda.synchronize()
        with torch.cuda.graph(graph, capture_error_mode="thread_local"):
            self._work()
        self._graph = graph
        return graph


class Branch:
    """Work that a GPU does beside what is launched meanwhile; a CPU does one after the other."""

    def __init__(self, device: torch.device) -> None:
        self._stream = torch.cuda.Stream(device) if device.type == "cuda" else None

    @contextmanager
    def __call__(self) -> Iterator[None]:
        """What is launched inside comes after everything launched so far, and beside what is launched later."""
        if self._stream is None:
            yield
            return
        self._stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(self._stream):
            yield

    def join(self, *results: torch.Tensor) -> None:
        """Lets what is launched from now on wait for the branch, whose ``results`` it may use."""
        if self._stream is not None:
            current = torch.cuda.current_stream()
            current.wait_stream(self._stream)
            for result in results:
                result.record_stream(current)


def restore_generator(generator: torch.Generator, state: torch.Tensor) -> None:
    """Lets random numbers go on from a saved state; that of another kind of device is passed over, it means nothing."""
    if state.numel() == generator.get_state().numel():
        generator.set_state(state.cpu())
