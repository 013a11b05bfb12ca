"""The first layer over a block of rows: dense or sparse, one mini-batch at a time or a whole block at once.

The first layer is the largest, and its inputs do not depend on the weights.
"""

from collections.abc import Callable
from typing import Any

from .deferred import DeferredFirstLayer
from .dense import DenseFirstLayer
from .linear_sparse import LinearSparseFirstLayer
from .protocol import FirstLayer, GradientFirstLayer, SteppingFirstLayer
from .sparse import SparseFirstLayer

__all__ = [
    "DeferredFirstLayer",
    "DenseFirstLayer",
    "FirstLayer",
    "GradientFirstLayer",
    "LinearSparseFirstLayer",
    "SparseFirstLayer",
    "SteppingFirstLayer",
    "make_first_layer",
]

GRADIENT: dict[str, Callable[..., GradientFirstLayer]] = {
    "dense": lambda layers, batch_rows, block_rows: DenseFirstLayer(layers[0], batch_rows),
    "sparse": lambda layers, batch_rows, block_rows: SparseFirstLayer(layers[0], batch_rows),
}
STEPPING: dict[str, Callable[..., SteppingFirstLayer]] = {
    "deferred": lambda layers, batch_rows, block_rows: DeferredFirstLayer(layers[0], block_rows, batch_rows),
    "linear_sparse": lambda layers, batch_rows, block_rows: LinearSparseFirstLayer(layers, batch_rows),
}


def make_first_layer(name, layers, batch_rows, block_rows) -> Any:
    """The first layer called `name`, for mini-batches of up to `batch_rows` rows in blocks of up to `block_rows`.

    `layers` begins with its parameters [W; b]. For "linear_sparse" with momentum, their velocity follows.
    """
    return (GRADIENT | STEPPING)[name](layers, batch_rows, block_rows)
