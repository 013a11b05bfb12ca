"""Image sets from OpenML: the same rows as from the files, and errors for wrong data."""

import numpy as np
import pytest
from sklearn.utils import Bunch
from small_sets import FETCH, every_set, rows, write

from skfnn.datasets import _sources, fetch_mnist
from skfnn.datasets._sets import SETS

pytestmark = pytest.mark.usefixtures("small_sets")


def give(monkeypatch, X, y):
    """Let OpenML answer with this X and y. Return the list of the calls."""
    calls = []

    def answer(*args, **kwargs):
        calls.append((args, kwargs))
        return Bunch(data=X, target=y)

    monkeypatch.setattr(_sources, "fetch_openml", answer)
    return calls


def both_parts(name):
    return (np.concatenate(arrays) for arrays in zip(rows(name, "train"), rows(name, "test"), strict=True))


LABELS = {
    "text": lambda y, names: y.astype(str).astype(object),
    "whole numbers": lambda y, names: y.astype(int),
    "floats": lambda y, names: y.astype(float),
    "names": lambda y, names: np.array(names)[y],
}


@pytest.mark.parametrize("labels", LABELS)
@pytest.mark.parametrize("subset", ["train", "test", "all"])
@every_set
def test_openml_gives_the_same_rows(tmp_path, monkeypatch, name, subset, labels):
    X, y = both_parts(name)
    calls = give(monkeypatch, X.astype(float), LABELS[labels](y, SETS[name].target_names))
    found = FETCH[name](subset=subset, data_home=tmp_path / "empty", return_X_y=True)
    expected = FETCH[name](subset=subset, data_home=write(tmp_path, name), return_X_y=True)
    for a, b in zip(found, expected, strict=True):
        np.testing.assert_array_equal(a, b)
        assert a.dtype == b.dtype
    (((title,), kwargs),) = calls
    assert title == {"mnist": "mnist_784", "fashion_mnist": "Fashion-MNIST", "cifar10": "CIFAR_10"}.get(
        name, "CIFAR-100"
    )
    assert kwargs["data_home"] == tmp_path / "empty"
    assert kwargs["as_frame"] is False


def test_nothing_is_downloaded_if_the_files_exist_or_downloading_is_off(tmp_path, monkeypatch):
    calls = give(monkeypatch, *both_parts("mnist"))
    with pytest.raises(OSError, match="was not found"):
        fetch_mnist(data_home=tmp_path, download_if_missing=False)
    fetch_mnist(data_home=write(tmp_path, "mnist"))
    assert not calls


def test_without_pandas_openml_is_read_by_the_other_parser(tmp_path, monkeypatch):
    calls = give(monkeypatch, *both_parts("mnist"))
    for found, parser in ((None, "liac-arff"), ("a module", "auto")):
        monkeypatch.setattr(_sources, "find_spec", lambda module, found=found: found)
        fetch_mnist(data_home=tmp_path)
        assert calls[-1][1]["parser"] == parser


def changed(array, place, value):
    array = array.astype(float)
    array[place] = value
    return array


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda X, y: (X[:-1], y[:-1]), "the shape"),
        (lambda X, y: (X[:, 1:], y), "the shape"),
        (lambda X, y: (X, y[1:]), "the shape"),
        (lambda X, y: (X[::-1], y[::-1]), "rows of class . expected"),  # the test rows first
        (lambda X, y: (X, changed(y, 0, 10)), "rows of class . expected"),
        (lambda X, y: (changed(X, (3, 4), np.nan), y), "pixels from 0 to 255"),
        (lambda X, y: (changed(X, (3, 4), 256), y), "pixels from 0 to 255"),
        (lambda X, y: (changed(X, (3, 4), -1), y), "pixels from 0 to 255"),
        (lambda X, y: (X / 255, y), "whole numbers"),
    ],
)
def test_wrong_data_from_openml_are_refused(tmp_path, monkeypatch, change, message):
    give(monkeypatch, *change(*both_parts("mnist")))
    with pytest.raises(ValueError, match=f"OpenML's data set 'mnist_784': .*{message}"):
        fetch_mnist(data_home=tmp_path)
