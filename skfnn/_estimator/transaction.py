"""All or nothing: a training method that raises leaves the estimator as it was."""

from contextlib import contextmanager


@contextmanager
def transaction(estimator, state=None):
    """Put the estimator back to what it was if the body raises; so are the parameters of its `state`."""
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
    """Say in a MemoryError how large the network is."""
    try:
        yield
    except MemoryError as error:
        raise MemoryError(
            f"The network does not fit into memory together with what its training needs: layers of "
            f"{', '.join(map(str, network.sizes))} units, {network.n_parameters:,} parameters. {error}"
        ) from error
