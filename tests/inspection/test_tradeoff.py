"""batch_size_tradeoff: each training run equals the same run outside of it."""

import numpy as np
import pytest
from scipy import sparse
from sklearn.base import clone
from sklearn.datasets import load_diabetes, load_digits
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skfnn import FNNClassifier, FNNRegressor
from skfnn.inspection import batch_size_tradeoff, gradient_noise

digits = load_digits()
X, y = digits.data[:300] / 16, digits.target[:300]
X_val, y_val = digits.data[300:400] / 16, digits.target[300:400]
B = len(X)

SETTINGS = {"max_iter": 3, "n_iter_no_change": None, "random_state": 0}
SIZES = [1, 7, "auto", "full"]
ROWS = [1, 7, 200, 300]
VALIDATION = {"X_val": X_val, "y_val": y_val}
ENTRIES = {"batch_sizes", "seconds_per_step", "gradient_variance", "histories", "n_steps", "n_rows"}
CURVES = {"epoch", "seconds", "loss", "validation_loss", "validation_score"}


def classifier(**params):
    return FNNClassifier((8,), **(SETTINGS | params))


@pytest.fixture(scope="module")
def tradeoff():
    return batch_size_tradeoff(classifier(), X, y, SIZES, **VALIDATION)


def test_the_tradeoff_has_one_entry_for_each_batch_size(tradeoff):
    assert set(tradeoff) == ENTRIES
    assert tradeoff.batch_sizes.tolist() == ROWS
    assert tradeoff.n_rows == B
    assert tradeoff.n_steps.tolist() == [3 * -(-B // size) for size in ROWS]
    for values in (tradeoff.seconds_per_step, tradeoff.gradient_variance):
        assert values.shape == (4,)
        assert values.dtype == np.float64
    assert len(tradeoff.histories) == 4
    for history in tradeoff.histories:
        assert set(history) == CURVES
        assert {len(values) for values in history.values()} == {3}


@pytest.mark.parametrize("k", range(len(SIZES)))
def test_every_run_equals_the_same_run_alone(tradeoff, k):
    alone = classifier(batch_size=SIZES[k]).fit(X, y, **VALIDATION)
    for key in CURVES - {"seconds"}:
        assert tradeoff.histories[k][key] == alone.history_[key]
    noise = gradient_noise(alone, X, y, batch_sizes=[ROWS[k]], n_draws=0)
    assert tradeoff.gradient_variance[k] == noise.predicted_variance[0]
    expected = noise.variance / ROWS[k] * (B - ROWS[k]) / (B - 1)
    np.testing.assert_allclose(tradeoff.gradient_variance[k], expected, rtol=1e-12)


def test_the_full_batch_has_no_gradient_variance(tradeoff):
    assert tradeoff.gradient_variance[-1] == 0.0
    assert (tradeoff.gradient_variance[:-1] > 0.0).all()


def test_seconds_are_counted_from_the_start_of_training(tradeoff):
    for history, seconds, steps in zip(tradeoff.histories, tradeoff.seconds_per_step, tradeoff.n_steps, strict=True):
        epochs = np.diff(history["seconds"], prepend=0.0)
        assert (epochs > 0.0).all()
        # These are differences of rounded sums of the epochs' times.
        np.testing.assert_allclose(seconds, np.median(epochs) / (steps / 3), rtol=1e-6)


@pytest.mark.parametrize("loss", ["squared_error", "poisson"])
def test_the_tradeoff_works_for_regressors(loss):
    data, target = load_diabetes(return_X_y=True)
    data, target = StandardScaler().fit_transform(data), target / 100
    reg = FNNRegressor((8,), loss=loss, learning_rate_init=0.02, **(SETTINGS | {"max_iter": 30}))
    tradeoff = batch_size_tradeoff(reg, data[:300], target[:300], [30, "full"], X_val=data[300:], y_val=target[300:])
    for size, history in zip([30, 300], tradeoff.histories, strict=True):
        alone = clone(reg).set_params(batch_size=size)
        alone.fit(data[:300], target[:300], X_val=data[300:], y_val=target[300:])
        assert history["validation_score"] == alone.validation_scores_
        assert history["validation_loss"] == alone.validation_loss_curve_


def test_sparse_rows_and_label_matrices_can_be_given():
    labels = np.column_stack([y % 2, y > 4])
    tradeoff = batch_size_tradeoff(
        classifier(), sparse.csr_matrix(X), labels, [50], X_val=X_val, y_val=np.column_stack([y_val % 2, y_val > 4])
    )
    assert tradeoff.n_steps.tolist() == [18]
    assert tradeoff.gradient_variance[0] > 0.0


def test_two_jobs_give_the_same_curves_as_one(tradeoff):
    other = batch_size_tradeoff(classifier(), X, y, SIZES, **VALIDATION, n_jobs=2)
    for a, b in zip(tradeoff.histories, other.histories, strict=True):
        for key in CURVES - {"seconds"}:
            assert a[key] == b[key]
    np.testing.assert_array_equal(tradeoff.gradient_variance, other.gradient_variance)


@pytest.mark.filterwarnings("error")
def test_runs_that_have_not_converged_cause_no_warning():
    tradeoff = batch_size_tradeoff(classifier(n_iter_no_change=10), X, y, [50, 100], **VALIDATION)
    assert tradeoff.n_steps.tolist() == [18, 9]


def test_runs_may_have_different_numbers_of_epochs():
    settings = {"learning_rate_init": 0.1, "tol": 0.05, "n_iter_no_change": 1, "max_iter": 40}
    tradeoff = batch_size_tradeoff(classifier(**settings), X, y, [10, "full"], **VALIDATION)
    lengths = [len(history["epoch"]) for history in tradeoff.histories]
    assert lengths[0] != lengths[1]
    assert tradeoff.n_steps.tolist() == [30 * lengths[0], lengths[1]]


def test_with_early_stopping_the_variance_is_taken_at_the_restored_weights():
    settings = {"early_stopping": True, "learning_rate_init": 1.0, "max_iter": 8}
    tradeoff = batch_size_tradeoff(classifier(**settings), X, y, [20], **VALIDATION)
    alone = classifier(batch_size=20, **settings).fit(X, y, **VALIDATION)
    assert alone.validation_scores_[-1] != alone.best_validation_score_
    expected = gradient_noise(alone, X, y, batch_sizes=[20], n_draws=0).predicted_variance[0]
    assert tradeoff.gradient_variance[0] == expected


def test_a_generator_as_random_state_gives_all_runs_the_same_start():
    tradeoff = batch_size_tradeoff(classifier(random_state=np.random.RandomState(4)), X, y, [20, 20], **VALIDATION)
    assert tradeoff.histories[0]["loss"] == tradeoff.histories[1]["loss"]


def test_the_estimator_is_not_changed():
    fitted, fresh = classifier(batch_size=33).fit(X, y), classifier(batch_size=33)
    for estimator in (fitted, fresh):
        before = dict(vars(estimator))
        batch_size_tradeoff(estimator, X, y, [50], **VALIDATION)
        assert vars(estimator).keys() == before.keys()
        assert all(vars(estimator)[name] is value for name, value in before.items())


@pytest.mark.parametrize("sizes", [[0], [B + 1], [-3], [2.0], [True], ["half"], [None], [], "full", 10, [[1]]], ids=str)
def test_bad_batch_sizes_are_refused(sizes):
    with pytest.raises(ValueError, match=f"batch_sizes must be a list of whole numbers from 1 .* {B}, 'full' and"):
        batch_size_tradeoff(classifier(), X, y, sizes, **VALIDATION)


@pytest.mark.parametrize("sizes", [(10, 20), np.array([10, 20]), range(10, 30, 10)], ids=["tuple", "array", "range"])
def test_batch_sizes_may_be_any_sequence(sizes):
    assert batch_size_tradeoff(classifier(max_iter=1), X, y, sizes, **VALIDATION).batch_sizes.tolist() == [10, 20]


@pytest.mark.parametrize("missing", ["X_val", "y_val"])
def test_a_validation_set_is_required(missing):
    with pytest.raises(ValueError, match="X_val and y_val must be given"):
        batch_size_tradeoff(classifier(), X, y, [10], **(VALIDATION | {missing: None}))


def test_lbfgs_has_no_batch_size():
    with pytest.raises(ValueError, match="'lbfgs' has no mini-batches"):
        batch_size_tradeoff(classifier(solver="lbfgs"), X, y, [10], **VALIDATION)


@pytest.mark.parametrize(
    "estimator",
    [MLPClassifier(), make_pipeline(StandardScaler(), FNNClassifier()), None],
    ids=["MLP", "pipeline", "None"],
)
def test_only_networks_are_accepted(estimator):
    with pytest.raises(TypeError, match="estimator must be an FNNClassifier or an FNNRegressor"):
        batch_size_tradeoff(estimator, X, y, [10], **VALIDATION)


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_if_a_run_diverges_the_error_names_its_batch_size(n_jobs):
    data, target = load_diabetes(return_X_y=True)
    reg = FNNRegressor((8,), learning_rate_init=2e-3, activation="identity", standardize=False, **SETTINGS)
    reg.set_params(max_iter=30)
    with pytest.raises(ValueError, match="diverged") as caught:
        batch_size_tradeoff(
            reg, 20 * data[:300], target[:300], ["full", 1], X_val=20 * data[300:], y_val=target[300:], n_jobs=n_jobs
        )
    assert caught.value.__notes__ == ["This was the training run with batch_size=1."]
