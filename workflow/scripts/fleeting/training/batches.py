"""Examples cut into batches."""

import torch


def batches(order: torch.Tensor, batch_size: int) -> list[torch.Tensor]:
    """Cut an order of examples into batches without dropping one.

    The last batch may be smaller. A single example left over joins the batch before it: batch
    normalisation has no variance to divide by for one value per channel.
    """
    found = list(torch.split(order, batch_size))
    if len(found) > 1 and len(found[-1]) == 1:
        found[-2:] = [torch.cat(found[-2:])]
    return found


def micro_batches(batch: torch.Tensor, accumulation: int) -> tuple[torch.Tensor, ...]:
    """Cut a batch into `accumulation` equal ones; into fewer if one would be a single example."""
    return torch.tensor_split(batch, max(1, min(accumulation, len(batch) // 2)))
