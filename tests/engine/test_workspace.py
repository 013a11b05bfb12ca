"""The buffers of the forward pass and backpropagation."""

import numpy as np
import pytest
from networks import NETWORKS, dtypes, networks, sizes_of_batches
from numpy.testing import assert_array_equal

from skfnn._engine.workspace import Panel, Workspace


@pytest.mark.parametrize("training", [False, True])
@networks
@dtypes
def test_a_workspace_has_no_more_memory_than_its_rows_need(network, training, dtype):
    workspace, hidden = Workspace(network, 7, dtype, training=training), network.sizes[1:-1]
    assert [m.size for m in workspace.hidden] == [7 * (units + 1) for units in hidden]
    assert [m.size for m in workspace.slopes] == [7 * units for units in hidden]
    assert [m.size for m in workspace.deltas] == [7 * units for units in network.sizes[1:] if training]
    assert workspace.scratch.size == 7 * max(hidden, default=0)
    assert workspace.capacity == 7
    arrays = [*workspace.hidden, *workspace.slopes, *workspace.deltas, workspace.scratch]
    assert {a.dtype for a in arrays} == {np.dtype(dtype)}
    assert all((slopes == 0).all() for slopes in workspace.slopes)


def test_a_workspace_for_prediction_has_no_deltas():
    network = NETWORKS["one"]
    assert len(Workspace(network, 2, np.float64).panel(2).deltas) == 2
    assert Workspace(network, 2, np.float64, training=False).panel(2).deltas == []


@networks
@sizes_of_batches
def test_a_panel_has_the_shapes_and_the_order_of_the_products(network, n):
    workspace = Workspace(network, 7, np.float64)
    panel = workspace.panel(n)
    hidden = network.sizes[1:-1]
    assert panel.n == n
    assert panel.inputs[0] is None
    assert [a.shape for a in panel.inputs[1:]] == [(n, units + 1) for units in hidden]
    assert [a.shape for a in panel.deltas] == [(n, units) for units in network.sizes[1:]]
    for arrays, memories in ((panel.outputs, workspace.hidden), (panel.slopes, workspace.slopes)):
        assert [a.shape for a in arrays] == [(n, units) for units in hidden]
        assert all(np.shares_memory(a, m) for a, m in zip(arrays, memories, strict=True))
    assert [a.shape for a in panel.scratch] == [(n, units) for units in hidden]
    assert all(np.shares_memory(a, workspace.scratch) for a in panel.scratch)
    assert all(np.shares_memory(a, m) for a, m in zip(panel.deltas, workspace.deltas, strict=True))
    for array in [*panel.inputs[1:], *panel.outputs, *panel.deltas, *panel.slopes, *panel.scratch]:
        assert array.flags.f_contiguous


@networks
def test_the_next_layer_reads_the_outputs_and_a_column_of_ones(network):
    panel = Workspace(network, 7, np.float64).panel(3)
    for k, output in enumerate(panel.outputs):
        output[...] = k + 2
        assert_array_equal(panel.inputs[k + 1][:, :-1], k + 2)
        assert_array_equal(panel.inputs[k + 1][:, -1], 1.0)


@pytest.mark.parametrize("keep", [1.0, 0.75])
def test_the_ones_are_restored_after_another_number_of_rows(keep):
    workspace = Workspace(NETWORKS["three"], 7, np.float64, keep=keep)
    for n in (7, 3, 7, 1, 2, 7):
        panel = workspace.panel(n)
        for inputs in panel.inputs[1:]:
            assert_array_equal(inputs[:, -1], keep)
            inputs[:, :-1] = np.nan  # a panel with another number of rows has its ones at some of these places


def test_a_panel_is_made_once_and_refilled_after_another_panel(monkeypatch):
    filled = []
    monkeypatch.setattr(Panel, "fill_last_columns", lambda panel, value: filled.append((panel.n, value)))
    workspace = Workspace(NETWORKS["one"], 7, np.float64)
    panels = [workspace.panel(n) for n in (7, 7, 3, 7, 3, 3)]
    assert panels[0] is panels[1] is panels[3]
    assert panels[2] is panels[4] is panels[5]
    assert filled == [(7, 1.0), (3, 1.0), (7, 1.0), (3, 1.0)]
