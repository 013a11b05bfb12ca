"""The textbook example on real MNIST: slow, and only where its files are at hand."""

import gzip
import os
from pathlib import Path

import numpy as np
import pytest

from skfnn import FNNClassifier

BESIDE = Path(__file__).resolve().parents[2] / "shared" / "data" / "mnist"
FOLDER = Path(os.environ.get("SKFNN_DATA", BESIDE))

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not (FOLDER / "train-images-idx3-ubyte.gz").exists(), reason="the files of MNIST are not here"),
]


def read(name, header):
    with gzip.open(FOLDER / f"{name}.gz") as file:
        return np.frombuffer(file.read(), np.uint8, offset=header)


def pixels(name):
    return read(name, 16).reshape(-1, 784) / np.float32(255)


def test_twenty_epochs_of_mini_batch_sgd_reach_the_textbook_accuracy():
    X_test, y_test = pixels("t10k-images-idx3-ubyte"), read("t10k-labels-idx1-ubyte", 8)
    clf = FNNClassifier(
        (128, 64), batch_size=100, learning_rate_init=0.1, max_iter=20, n_iter_no_change=np.inf, random_state=0
    )
    clf.fit(pixels("train-images-idx3-ubyte"), read("train-labels-idx1-ubyte", 8), X_val=X_test, y_val=y_test)
    assert clf.n_steps_ == 20 * 600
    assert len(clf.validation_scores_) == len(clf.validation_loss_curve_) == 20
    assert clf.validation_scores_[-1] == clf.score(X_test, y_test) >= 0.978
