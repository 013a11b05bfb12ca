"""Random calls of the estimators with valid and invalid parameters and data, judged by the documentation.

``PYTHONPATH=tests/support python -m fuzz`` makes 20,000 calls; ``--help`` lists the options. The modules, from the
bottom up: `values` (a value and its verdict), `parameters`, `matrices`, `targets`, `arguments` and `callbacks` (random
values of each kind), `oracle` (the laws), `call` (a call to make), `training_calls`, `prediction_calls` and `calls`
(what a session may call), `session` (the calls on one estimator), `workers` (processes that run sessions), `__main__`
(the command).
"""
