"""Link the first mention of each public name on a hand-written page to the reference."""

import importlib

from docutils import nodes
from sphinx import addnodes

MODULES = [
    "skfnn",
    "skfnn.tabular",
    "skfnn.inspection",
    "skfnn.exceptions",
    "skfnn.callbacks",
    "skfnn.datasets",
    "skfnn.onnx",
]


def public_names():
    """The full name of every public class and function, by its short name."""
    modules = [importlib.import_module(module) for module in MODULES]
    return {name: f"{module.__name__}.{name}" for module in modules for name in module.__all__}


def link(app, doctree):
    """Wrap the first literal with each name in a reference, in place."""
    if app.env.docname.startswith(("api/", "auto_examples/")):
        return
    names = public_names()
    for literal in list(doctree.findall(nodes.literal)):
        inside = literal.parent
        while inside is not None and not isinstance(inside, nodes.title | nodes.reference | addnodes.pending_xref):
            inside = inside.parent
        if inside is None and literal.astext() in names:
            reference = addnodes.pending_xref(
                "",
                refdomain="py",
                reftype="obj",
                reftarget=names.pop(literal.astext()),
                refexplicit=True,
                refwarn=True,
                refdoc=app.env.docname,
            )
            literal.replace_self(reference)
            reference.append(literal)


def setup(app):
    """Connect to the event of a page that has been read."""
    app.connect("doctree-read", link)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
