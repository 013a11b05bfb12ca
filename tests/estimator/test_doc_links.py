"""The link to the documentation, and the hover help of parameters, in the HTML representation of estimators."""

import html
import re
from email.message import Message
from importlib.metadata import PackageNotFoundError
from pathlib import Path

import pytest
from sklearn.base import BaseEstimator

from skfnn import FNNClassifier, FNNRegressor, _estimator
from skfnn._estimator import doc_links
from skfnn.tabular import PiecewiseLinearEncoder, make_tabular_classifier, make_tabular_regressor
from skfnn.tabular._averaged import AveragedFNNClassifier, AveragedFNNRegressor

ADDRESS = "https://example.org/skfnn"
PAGES = {
    FNNClassifier: "skfnn.FNNClassifier",
    FNNRegressor: "skfnn.FNNRegressor",
    PiecewiseLinearEncoder: "skfnn.tabular.PiecewiseLinearEncoder",
    AveragedFNNClassifier: "skfnn.tabular.make_tabular_classifier",
    AveragedFNNRegressor: "skfnn.tabular.make_tabular_regressor",
}
ESTIMATORS = [
    FNNClassifier(),
    FNNRegressor(),
    PiecewiseLinearEncoder(),
    AveragedFNNClassifier(FNNClassifier()),
    AveragedFNNRegressor(FNNRegressor()),
]
estimators = pytest.mark.parametrize("model", ESTIMATORS, ids=lambda model: type(model).__name__)


@pytest.fixture
def publish(monkeypatch):
    """A function that replaces the project URLs in the package's metadata."""

    def replace(*urls):
        package = Message()
        for url in urls:
            package["Project-URL"] = url
        monkeypatch.setattr(doc_links, "metadata", lambda name: {"skfnn": package}[name])
        doc_links.documentation_address.cache_clear()

    yield replace
    doc_links.documentation_address.cache_clear()


def links(model):
    """The targets of all links in the HTML representation."""
    return [html.unescape(link) for link in re.findall(r'href="([^"]*)"', model._repr_html_())]


def test_every_estimator_is_in_this_file():
    def subclasses(kind):
        return {kind}.union(*(subclasses(child) for child in kind.__subclasses__()))

    public = {
        kind
        for kind in subclasses(BaseEstimator)
        if kind.__module__.startswith("skfnn.") and not kind.__name__.startswith("_")
    }
    assert public - set(PAGES) <= {_estimator.base.BaseFNN, *_estimator.base.BaseFNN.__mro__}


@estimators
@pytest.mark.parametrize("url", [f"Documentation, {ADDRESS}", f"documentation,{ADDRESS}/"])
def test_the_link_leads_to_the_page_of_the_estimator(model, url, publish):
    publish("Homepage, https://example.org", url, "Source, https://example.org/source")
    assert f"{ADDRESS}/api/generated/{PAGES[type(model)]}.html" in links(model)


@pytest.mark.parametrize("page", PAGES.values())
def test_the_api_reference_has_the_page(page):
    reference = Path(__file__).parents[2] / "docs" / "api" / "index.rst"
    module, name = page.rsplit(".", 1)
    (section,) = re.findall(rf"currentmodule:: {module}\n(.*?)(?:currentmodule|\Z)", reference.read_text(), re.DOTALL)
    assert ":toctree: generated" in section
    assert f"   {name}\n" in section


@estimators
def test_there_is_no_link_without_an_address(model, publish, monkeypatch):
    def is_missing(name):
        raise PackageNotFoundError(name)

    publish("Homepage, https://example.org")
    assert model._get_doc_link() == ""
    monkeypatch.setattr(doc_links, "metadata", is_missing)
    doc_links.documentation_address.cache_clear()
    assert model._get_doc_link() == ""
    assert not [link for link in links(model) if "skfnn" in link]


def test_a_subclass_of_the_user_has_no_link_to_the_page_of_its_parent(publish):
    class Own(FNNClassifier):
        pass

    publish(f"Documentation, {ADDRESS}")
    assert Own()._get_doc_link() == ""


@pytest.mark.parametrize("make", [make_tabular_classifier, make_tabular_regressor])
def test_a_tabular_pipeline_shows_all_links(make, publish):
    publish(f"Documentation, {ADDRESS}")
    found = links(make())
    network = "FNNClassifier" if make is make_tabular_classifier else "FNNRegressor"
    for name in (network, f"tabular.{make.__name__}", "tabular.PiecewiseLinearEncoder"):
        assert f"{ADDRESS}/api/generated/skfnn.{name}.html" in found


@estimators
def test_every_parameter_has_hover_help(model, publish):
    common = pytest.importorskip("sklearn.utils._repr_html.common")
    if not hasattr(common, "get_docstring"):
        pytest.skip("this scikit-learn has no hover help")
    publish(f"Documentation, {ADDRESS}")
    shown = model._repr_html_()
    for name in model.get_params(deep=False):
        text = common.get_docstring(type(model), "Parameters", name)
        assert len(text.split("<br>", 2)[2]) > 10, name  # more than the type
        assert text in shown, name
