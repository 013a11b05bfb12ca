"""GridSearchCV over batch size and learning rate on the digits: total time and best score."""

import os

from . import _data, _timing
from ._report import begin, numbers, parser, print_table, write_csv
from ._trainers import present, torch_network
from ._workers import Worker

_PACKAGES = {"skfnn": "skfnn", "sklearn": "sklearn", "skorch": "skorch"}


class GridBench:
    """One peer's grid search, in a worker."""

    def __init__(self, peer, hidden, epochs, grid, folds):
        from sklearn.model_selection import StratifiedKFold

        self._data = _data.digits()
        self._estimator, names = _ESTIMATORS[peer](hidden, epochs)
        self._grid = dict(zip(names, grid, strict=True))
        self._folds = StratifiedKFold(folds, shuffle=True, random_state=0)

    def search(self):
        """Measure a whole search, without the final fit on all rows."""
        from sklearn.base import clone
        from sklearn.model_selection import GridSearchCV

        self._search = GridSearchCV(clone(self._estimator), self._grid, cv=self._folds, refit=False)
        return _timing.measure(self._search.fit, self._data.X, self._data.y)

    def best(self):
        """The best mean score, with its batch size and learning rate."""
        scores = self._search.cv_results_["mean_test_score"]
        batch_size, eta = (self._search.best_params_[name] for name in self._grid)
        return float(scores.max()), batch_size, eta


def _skfnn(hidden, epochs):
    from skfnn import FNNClassifier

    return _scikit_learn_like(FNNClassifier, hidden, epochs)


def _sklearn(hidden, epochs):
    from sklearn.neural_network import MLPClassifier

    return _scikit_learn_like(MLPClassifier, hidden, epochs, momentum=0.0, alpha=0.0)


def _scikit_learn_like(kind, hidden, epochs, **settings):
    """An estimator that trains for exactly this number of epochs."""
    estimator = kind(hidden, solver="sgd", max_iter=epochs, n_iter_no_change=epochs + 1, random_state=0, **settings)
    return estimator, ("batch_size", "learning_rate_init")


def _skorch(hidden, epochs):
    import torch
    from skorch import NeuralNetClassifier

    torch.manual_seed(0)
    torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
    estimator = NeuralNetClassifier(
        torch_network,
        module__sizes=(64, *hidden, 10),
        criterion=torch.nn.CrossEntropyLoss,
        optimizer=torch.optim.SGD,
        max_epochs=epochs,
        train_split=None,
        iterator_train__shuffle=True,
        verbose=0,
    )
    return estimator, ("batch_size", "lr")


_ESTIMATORS = {"skfnn": _skfnn, "sklearn": _sklearn, "skorch": _skorch}


def main():
    options = parser(__doc__)
    add = options.add_argument
    add("--hidden", type=numbers(int), default="100", help="sizes of the hidden layers")
    add("--epochs", type=int, default=20)
    add("--batch-sizes", type=numbers(int), default="10,30,100,300")
    add("--etas", type=numbers(float), default="0.03,0.1,0.3,1.0")
    add("--folds", type=int, default=5)
    add("--rounds", type=int, default=3)
    add("--peers", type=numbers(str), default="skfnn,sklearn,skorch")
    arguments = options.parse_args()
    if arguments.quick:
        arguments.epochs, arguments.batch_sizes, arguments.etas = 3, [30, 300], [0.1, 0.3]
        arguments.folds, arguments.rounds = 2, 1

    line = begin(arguments)
    grid = (arguments.batch_sizes, arguments.etas)
    settings = (tuple(arguments.hidden), arguments.epochs, grid, arguments.folds)
    workers = {peer: Worker(GridBench, peer, *settings) for peer in present(arguments.peers, _PACKAGES)}
    samples = _timing.alternate(workers, arguments.rounds, "search")
    fits = len(grid[0]) * len(grid[1]) * arguments.folds
    print(f"digits, 64-{'-'.join(map(str, arguments.hidden))}-10, {fits} fits of {arguments.epochs} epochs:")
    records = []
    for peer, worker in workers.items():
        score, batch_size, eta = worker.call("best")
        worker.close()
        seconds = _timing.median(samples[peer])
        ratio = _timing.paired_ratio(samples[peer], samples["skfnn"]) if "skfnn" in samples else None
        best = {"best_score": score, "best_batch_size": batch_size, "best_eta": eta}
        records.append({"peer": peer, "seconds": seconds, "ratio": ratio, "ms_a_fit": seconds / fits * 1e3, **best})
    headers = ["peer", "s", "/ skfnn", "ms/fit", "best accuracy", "at Omega", "at eta"]
    print_table(headers, [list(record.values()) for record in records])
    write_csv("grid_search", records, line)


if __name__ == "__main__":
    main()
