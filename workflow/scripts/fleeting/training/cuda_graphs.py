"""CUDA graphs: a step that is launched as a whole, not kernel by kernel.

A ResNet's step is hundreds to thousands of kernels; in small batches, each takes less time than its
launch from Python. CUDA records them once and replays them in one launch.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch


def own_stream(device: torch.device) -> AbstractContextManager[object]:
    """The stream that a job must run on from the first: the default one cannot be recorded."""
    if device.type != "cuda":
        return nullcontext()
    stream = torch.cuda.Stream(device)
    stream.wait_stream(torch.cuda.current_stream(device))
    return torch.cuda.stream(stream)


def memory_pool(device: torch.device) -> Any:
    """CUDA's memory pool for recorded steps; None on the CPU, where none is recorded."""
    return torch.cuda.graph_pool_handle() if device.type == "cuda" else None


class RecordedStep:
    """A step over a batch, recorded once for each size of batch and replayed from then on.

    The step reads its batch and tensors that stay where they are, changes tensors in place, returns
    nothing, and never asks the device for a value. A Python number in it, such as a learning rate,
    would stay as it was when the step was recorded. On the CPU the step is simply called.
    """

    def __init__(self, step: Callable[[torch.Tensor], None], pool: Any) -> None:
        """Take a step of one (B,) int64 batch of positions; called inside `own_stream`.

        Recordings share a `memory_pool`: only one of them runs at a time, and none leaves anything
        in it for another. Without a pool, nothing is recorded.
        """
        self.step = step
        self.pool = pool
        self.seen_sizes: set[int] = set()
        self.graphs: dict[int, tuple[torch.Tensor, torch.cuda.CUDAGraph]] = {}

    def __call__(self, batch: torch.Tensor, record: bool) -> None:
        """Run the step on a batch.

        Args:
            batch: positions of examples.
            record: whether steps may be recorded: not in a process's first epoch, since what runs
                outside the recordings' memory takes as much again. A size that is seen for the
                first time is never recorded: libraries choose and prepare their kernels then.
        """
        size = len(batch)
        if self.pool is None or not record or size not in self.seen_sizes:
            self.seen_sizes.add(size)
            self.step(batch)
            return
        if size not in self.graphs:
            graph, recorded_batch = torch.cuda.CUDAGraph(), batch.clone()
            stream = torch.cuda.current_stream()
            with torch.cuda.graph(graph, pool=self.pool, stream=stream):
                self.step(recorded_batch)
            self.graphs[size] = recorded_batch, graph
        recorded_batch, graph = self.graphs[size]
        recorded_batch.copy_(batch)
        graph.replay()
