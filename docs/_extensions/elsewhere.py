"""Links to other projects. Their addresses follow from the names, so no inventory has to be downloaded."""

from docutils import nodes

GENERATED = {
    "sklearn": "https://scikit-learn.org/stable/modules/generated/{0}.html",
    "numpy": "https://numpy.org/doc/stable/reference/generated/{0}.html",
    "scipy": "https://docs.scipy.org/doc/scipy/reference/generated/{0}.html",
    "pandas": "https://pandas.pydata.org/docs/reference/api/{0}.html",
    "joblib": "https://joblib.readthedocs.io/en/stable/generated/{0}.html",
    "matplotlib": "https://matplotlib.org/stable/api/_as_gen/{0}.html",
    "skl2onnx": "https://onnx.ai/sklearn-onnx/api_summary.html#{0}",
}
# Labels in docstrings that are inherited from scikit-learn.
LABELS = {
    "df_output_transform": "https://scikit-learn.org/stable/modules/df_output_transform.html",
    "sphx_glr_auto_examples_miscellaneous_plot_set_output.py": (
        "https://scikit-learn.org/stable/auto_examples/miscellaneous/plot_set_output.html"
    ),
    "metadata_routing": "https://scikit-learn.org/stable/metadata_routing.html",
    "accuracy_score": "https://scikit-learn.org/stable/modules/model_evaluation.html#accuracy-score",
    "r2_score": "https://scikit-learn.org/stable/modules/model_evaluation.html#r2-score",
}
TERM = "https://scikit-learn.org/stable/glossary.html#term-{0}"


def resolve(app, env, node, content):
    """The link for a reference that Sphinx could not resolve, or None."""
    target = node.get("reftarget", "")
    if node.get("refdomain") == "py" and target.partition(".")[0] in GENERATED:
        address = GENERATED[target.partition(".")[0]].format(target)
    elif node.get("refdomain") == "std" and target in LABELS:
        address = LABELS[target]
    elif node.get("refdomain") == "std" and node.get("reftype") == "term":
        address = TERM.format(target.replace(" ", "-"))
    else:
        return None
    link = nodes.reference("", "", internal=False, refuri=address)
    # A label without a text of its own stands for a page of scikit-learn's gallery.
    link.append(nodes.Text("scikit-learn's example") if content.astext().startswith("sphx_glr_") else content)
    return link


def setup(app):
    """Connect to the event of a missing reference."""
    app.connect("missing-reference", resolve)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
