"""All or nothing: a training method that raises an error leaves the estimator as it was."""

from contextlib import contextmanager


@contextmanager
def transaction(estimator, state=None):
    """If the body raises, restore the estimator and the parameters of its `state` as they were before."""
    before = dict(vars(estimator))
    theta = None if state is None else state.theta.copy()
    history = before.get("history_", {})
    length = len(history.get("epoch", ()))
    try:
        yield
    except BaseException:
        estimator.__dict__.clear()
        estimator.__dict__.update(before)
        for values in history.values():
            del values[length:]
        if state is not None:
            state.put_back(theta)
        raise


@contextmanager
def memory_for(network):
    """Make a MemoryError say how large the network is."""
    try:
        yield
    except MemoryError as error:
        raise MemoryError(
            f"The network and the buffers of training do not fit into memory: layers of "
            f"{', '.join(map(str, network.sizes))} units, {network.n_parameters:,} parameters. {error}"
        ) from error
