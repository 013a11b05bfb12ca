"""What scikit-learn's tests expect of MLPClassifier and MLPRegressor, and the tests here that check it.

For every test in scikit-learn's ``neural_network/tests/test_mlp.py``, `COVERED` names the tests here that check the
same for FNNClassifier and FNNRegressor. Most tests of the classifier are in test_mlp_expectations_classifier.py, the
others, mostly for both estimators, in test_mlp_expectations_both.py. If skfnn differs on purpose, `OTHERWISE` says how,
and the named tests check the difference.
"""

import re
from pathlib import Path

import pytest
import sklearn
from sklearn.utils.fixes import parse_version

# Name of scikit-learn's test without "test_": file and test here. There are several tests if scikit-learn's test has
# several parts.
COVERED = {
    # the objective and its gradient
    "alpha": "mlp_expectations_classifier: a_larger_alpha_gives_weights_closer_to_zero",
    "fit": "mlp_expectations_classifier: one_step_agrees_with_scikit_learns_worked_example",
    "gradient": "gradients: a_step_of_length_1_is_the_gradient_of_the_objective"
    " | regressor_objective: a_step_of_length_1_is_the_gradient_of_the_objective",
    # L-BFGS
    "lbfgs_classification": "mlp_expectations_classifier: lbfgs_learns_the_digits",
    "lbfgs_regression": "mlp_expectations_both: lbfgs_fits_a_regression_with_every_activation",
    "lbfgs_classification_maxfun": "mlp_expectations_classifier: max_fun_limits_lbfgs",
    "lbfgs_regression_maxfun": "mlp_expectations_both: max_fun_limits_lbfgs_in_regression",
    # kinds of targets
    "multilabel_classification": "mlp_expectations_classifier: multilabel_targets_are_learned"
    " | mlp_expectations_classifier: multilabel_targets_can_be_stopped_early",
    "multioutput_regression": "mlp_expectations_both: several_outputs_are_learned",
    "mlp_vs_poisson_glm_equivalent": "regressor: converged_linear_layers_solve_poisson_regression",
    # partial_fit
    "partial_fit_classes_error": "mlp_expectations_classifier: partial_fit_refuses_other_classes",
    "partial_fit_classification": "mlp_expectations_classifier: partial_fit_learns_what_fit_learns",
    "partial_fit_unseen_classes": "mlp_expectations_classifier: partial_fit_learns_classes_missing_from_the_first_call",
    "partial_fit_regression": "regressor: k_partial_fits_equal_one_fit_of_k_epochs"
    " | mlp_expectations_both: partial_fit_learns_a_regression",
    "partial_fit_errors": "mlp_expectations_classifier: partial_fit_refuses_labels_outside_classes"
    " | mlp_expectations_classifier: the_first_partial_fit_call_needs_classes"
    " | mlp_expectations_classifier: lbfgs_has_no_partial_fit"
    " | regressor: lbfgs_has_no_partial_fit",
    "mlp_partial_fit_after_fit": "mlp_expectations_both: partial_fit_continues_after_a_fit_that_was_stopped_early",
    "mlp_loading_from_joblib_partial_fit": "mlp_expectations_both: a_loaded_regression_learns_another_target"
    " | mlp_expectations_classifier: a_model_from_joblib_can_be_trained_further",
    # numbers
    "nonfinite_params": "mlp_expectations_classifier: features_of_the_largest_size_raise_a_value_error"
    " | numbers: training_on_features_of_the_largest_size_is_an_error_that_says_what_to_do",
    "mlp_diverging_loss": "mlp_expectations_both: a_diverging_loss_is_an_error_even_with_early_stopping",
    "mlp_classifier_dtypes_casting": "mlp_expectations_classifier: float32_and_float64_give_the_same_predictions",
    "mlp_regressor_dtypes_casting": "regressor_targets: float32_and_float64_give_the_same_predictions",
    "mlp_param_dtypes": "mlp_expectations_classifier: weights_and_probabilities_have_the_float_type_of_x"
    " | regressor_targets: predictions_have_the_dtype_of_the_model",
    # predictions
    "predict_proba_binary": "mlp_expectations_classifier: probabilities_and_their_logarithms_agree",
    "predict_proba_multiclass": "mlp_expectations_classifier: probabilities_and_their_logarithms_agree",
    "predict_proba_multilabel": "mlp_expectations_classifier: probabilities_and_their_logarithms_agree",
    "sparse_matrices": "mlp_expectations_classifier: sparse_and_dense_x_give_the_same_predictions"
    " | regressor_targets: sparse_x_gives_the_same_results_as_dense_x",
    # the epochs
    "shuffle": "mlp_expectations_classifier: shuffle_has_an_effect"
    " | mlp_expectations_both: shuffle_has_an_effect_on_a_regression",
    "verbose_sgd": "mlp_expectations_classifier: verbose_prints_one_line_per_epoch"
    " | mlp_expectations_both: partial_fit_prints_its_epoch",
    "tolerance": "mlp_expectations_both: training_stops_when_it_has_converged_by_tol",
    "n_iter_no_change": "mlp_expectations_classifier: training_stops_after_more_than_n_iter_no_change_epochs"
    " | mlp_expectations_both: more_than_n_iter_no_change_epochs_without_improvement_stop_training",
    "n_iter_no_change_inf": "mlp_expectations_classifier: without_patience_all_epochs_run_and_nothing_warns",
    "adaptive_learning_rate": "algorithms: the_adaptive_rate_stops_training_when_it_is_too_small"
    " | mlp_expectations_both: the_adaptive_rate_falls_until_training_stops",
    # early stopping
    "early_stopping": "mlp_expectations_both: early_stopping_watches_the_validation_score"
    " | mlp_expectations_both: without_early_stopping_there_are_no_scores",
    "early_stopping_stratified": "mlp_expectations_both: a_class_of_one_row_makes_the_split_plain"
    " | validation: the_split_is_stratified",
    "mlp_early_stopping_string_labels": "mlp_expectations_classifier: early_stopping_accepts_text_labels",
    "mlp_sample_weight_with_early_stopping": "mlp_expectations_both: with_early_stopping_equal_weights_change_nothing",
    "minimum_input_sample_size": "mlp_expectations_both: two_rows_are_too_few_for_a_validation_score",
    "preserve_feature_names": "mlp_expectations_classifier: feature_names_are_kept_with_early_stopping"
    " | mlp_expectations_both: feature_names_are_kept_in_a_regression_with_early_stopping",
    # warm starts
    "learning_rate_warmstart": "mlp_expectations_classifier: a_warm_start_continues_with_the_learning_rate",
    "warm_start": "mlp_expectations_both: a_warm_start_on_other_classes_names_both",
    "warm_start_full_iteration": "mlp_expectations_both: each_warm_start_does_max_iter_epochs",
    "mlp_warm_start_with_early_stopping": "mlp_expectations_both: a_warm_start_may_stop_early",
    "mlp_warm_start_no_convergence": "mlp_expectations_both: each_warm_start_without_convergence_warns",
}
OTHERWISE = {
    "alpha": "its strength does not depend on the batch size: test_objective.py",
    "early_stopping_stratified": "if the classes do not allow a stratified split, the split is plain and not an error",
    "minimum_input_sample_size": "an error only if no training row is left; an undefined score is NaN",
    "mlp_diverging_loss": "a model that diverged is not returned; the error says why, and the estimator stays unfitted",
    "mlp_partial_fit_after_fit": "partial_fit works with early_stopping=True; it holds out no rows",
    "mlp_warm_start_no_convergence": "L-BFGS continues from the weights; n_iter_ counts the iterations of this fit",
    "preserve_feature_names": "a classifier needs two classes",
}


def functions_of(path):
    """The names of the test functions of a file, without "test_"."""
    return set(re.findall(r"^def test_(\w+)\(", path.read_text("utf-8"), flags=re.MULTILINE))


def test_every_expectation_of_scikit_learn_is_in_the_table():
    path = Path(sklearn.__file__).parent / "neural_network" / "tests" / "test_mlp.py"
    if not path.exists():
        pytest.skip("this scikit-learn is installed without its tests")
    asked = functions_of(path)
    assert len(asked) > 40
    missing = asked - COVERED.keys()
    if missing and parse_version(sklearn.__version__) >= parse_version("1.10"):
        pytest.skip(f"later than the table: {sorted(missing)}")
    assert not missing


def test_every_test_in_the_table_exists():
    pairs = [cover.split(":") for covers in COVERED.values() for cover in covers.split("|")]
    here = Path(__file__).parents[1]
    found = {file.strip(): functions_of(next(here.glob(f"*/test_{file.strip()}.py"))) for file, _ in pairs}
    assert not [pair for pair in pairs if pair[1].strip() not in found[pair[0].strip()]]
    assert OTHERWISE.keys() <= COVERED.keys()
