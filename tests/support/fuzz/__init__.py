"""Random calls of the estimators, with valid and invalid parameters and data, judged by what is documented.

``python -m fuzz``, from the project's root, makes 20,000 calls; ``--help`` tells the options. The modules, from
the bottom up: `values` (a value and what it must lead to), `parameters`, `matrices`, `targets` and `arguments` (random
values of each kind), `oracle` (the laws), `session` (the calls on one estimator), `workers` (processes that run
sessions, and what happens to them), `__main__` (the command).
"""
