"""Training on an array on disk that is too large to be copied into memory."""

import os
import subprocess
import sys
import textwrap

import numpy as np
import pytest

if sys.platform != "linux":
    pytest.skip("only Linux enforces RLIMIT_AS and says in /proc how much is in use", allow_module_level=True)

# 188 MB in float32, 47 MB as bytes. The program may allocate half of this: enough for the buffers of training (15 MB,
# mostly a sample of rows for the checks), but not for a copy, and even less for the bytes as float32.
SHAPE = (60_000, 784)

PROGRAM = """
    import os, resource, sys
    import numpy as np
    from skfnn import FNNClassifier

    path, dtype, rows, features = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])

    def network(**params):
        return FNNClassifier((16,), batch_size=100, learning_rate_init=0.05, random_state=0, **params)

    # This allocates everything that a process allocates once, such as the buffers of the BLAS and late imports.
    few = np.zeros((400, features), dtype)
    network(max_iter=1, n_iter_no_change=None).fit(few, np.arange(400) % 2).predict_proba(few)

    X = np.memmap(path, dtype=dtype, mode="r", shape=(rows, features))
    y = np.arange(rows) % 2
    with open("/proc/self/statm") as statm:
        in_use = int(statm.read().split()[0]) * os.sysconf("SC_PAGE_SIZE")
    resource.setrlimit(resource.RLIMIT_AS, (in_use + X.nbytes // 2, resource.getrlimit(resource.RLIMIT_AS)[1]))

    try:
        np.array(X)
    except MemoryError:
        print("no copy")

    def log_loss(clf):
        return -np.log(clf.predict_proba(X)[np.arange(rows), y]).mean()

    fitted = network(max_iter=2, n_iter_no_change=None)
    fitted.fit(X[:-5000], y[:-5000], X_val=X[-5000:], y_val=y[-5000:])
    print(log_loss(fitted))
    del fitted

    stream = network()
    for start in range(0, rows, 5000):
        stream.partial_fit(X[start : start + 5000], y[start : start + 5000], classes=[0, 1])
    print(log_loss(stream))
"""


@pytest.mark.full  # the short suite has test_memory.py
@pytest.mark.parametrize("dtype", ["uint8", "float32"])
def test_fit_and_a_stream_learn_from_a_memmap_that_cannot_be_copied(tmp_path, dtype):
    path = tmp_path / "rows.dat"
    X = np.memmap(path, dtype=dtype, mode="w+", shape=SHAPE)
    X[1::2, :8] = 1  # the rows of class 1
    X.flush()
    del X
    program = [sys.executable, "-c", textwrap.dedent(PROGRAM), str(path), dtype, *map(str, SHAPE)]
    # Every additional BLAS thread needs its own address space.
    environment = dict(os.environ, OPENBLAS_NUM_THREADS="1", OMP_NUM_THREADS="1", MKL_NUM_THREADS="1")
    try:
        run = subprocess.run(program, capture_output=True, text=True, env=environment)
    finally:
        path.unlink()  # otherwise pytest keeps it

    assert run.returncode == 0, run.stderr
    copied, *losses = run.stdout.split("\n")[:3]
    assert copied == "no copy"
    # The loss of the initial weights is 0.66. They may classify all rows correctly by luck, so the accuracy would prove
    # nothing.
    assert max(map(float, losses)) < 0.1
    assert len(losses) == 2
