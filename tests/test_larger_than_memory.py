"""Training on an array on disk that the process is not allowed to copy."""

import os
import subprocess
import sys
import textwrap

import numpy as np
import pytest

resource = pytest.importorskip("resource", reason="limits of the address space are set by Unix")
if not os.path.exists("/proc/self/statm"):
    pytest.skip("how much address space is in use is read from /proc", allow_module_level=True)

# An array of half the memory that is forbidden would do; a hole in the file takes no room on disk.
ROWS, FEATURES = 60_000, 784

PROGRAM = """
    import os, resource, sys
    import numpy as np
    from skfnn import FNNClassifier

    path, dtype, how = sys.argv[1:]
    shape = ({rows}, {features})

    def settings(**params):
        return FNNClassifier((16,), batch_size=100, learning_rate_init=0.05, random_state=0, **params)

    # What is made once a process, threads of the BLAS and buffers of the allocator among them, is made here.
    few = np.zeros((400, {features}), dtype)
    settings(max_iter=1, n_iter_no_change=np.inf).fit(few, np.arange(400) % 2).predict(few)

    X = np.memmap(path, dtype=dtype, mode="r", shape=shape)
    y = np.arange(len(X)) % 2
    in_use = int(open("/proc/self/statm").read().split()[0]) * os.sysconf("SC_PAGE_SIZE")
    resource.setrlimit(resource.RLIMIT_AS, (in_use + X.nbytes // 2, resource.RLIM_INFINITY))
    try:
        np.array(X)
    except MemoryError:
        pass
    else:
        sys.exit("the limit lets X be copied")

    if how == "fit":
        clf = settings(max_iter=2, n_iter_no_change=np.inf).fit(X, y, X_val=X[-4000:], y_val=y[-4000:])
    else:
        clf = settings()
        for start in range(0, len(X), 5000):
            clf.partial_fit(X[start : start + 5000], y[start : start + 5000], classes=[0, 1])
    print(clf.score(X, y))
"""


@pytest.mark.parametrize("how", ["fit", "partial_fit"])
@pytest.mark.parametrize("dtype", ["uint8", "float32"])
def test_trains_on_a_memmap_that_cannot_be_copied(tmp_path, dtype, how):
    path = tmp_path / "rows.dat"
    X = np.memmap(path, dtype=dtype, mode="w+", shape=(ROWS, FEATURES))
    X[1::2, :8] = 1  # the rows of class 1; the rest of the file is never written
    X.flush()
    del X

    program = textwrap.dedent(PROGRAM).format(rows=ROWS, features=FEATURES)
    environment = dict(os.environ, OPENBLAS_NUM_THREADS="1", OMP_NUM_THREADS="1")
    run = subprocess.run(
        [sys.executable, "-c", program, str(path), dtype, how], capture_output=True, text=True, env=environment
    )

    assert run.returncode == 0, run.stderr
    assert float(run.stdout) == 1.0
