"""Formulas as MathML. Every browser draws it without a script, as text that can be selected."""

import re

from docutils import nodes
from docutils.utils.math import MathError
from docutils.utils.math.latex2mathml import tex2mathml
from sphinx.util import logging

logger = logging.getLogger(__name__)


def keep_together(app, doctree):
    """Put a formula and the punctuation mark after it into one element, so that no line ends between them."""
    for math in list(doctree.findall(nodes.math)):
        parent, place = math.parent, math.parent.index(math)
        following = parent[place + 1] if place + 1 < len(parent) else ""
        mark = re.match(r"[,.;:)?!]+", following) if isinstance(following, nodes.Text) else None
        if mark:
            together = nodes.inline("", "", classes=["formula-with-mark"])
            parent[place : place + 2] = [together, nodes.Text(following[mark.end() :])]
            together += [math, nodes.Text(mark.group())]


def visit(translator, node, tag, as_block):
    """Write a formula. If the converter does not know one of its commands, warn and write its source."""
    # The converter knows the commands of mathematics only, and \texttt is a command of text.
    tex = node.astext().replace(r"\texttt", r"\mathtt")
    try:
        formula = tex2mathml(tex, as_block=as_block)
    except MathError as error:
        logger.warning("formula: %s", error, location=node, type="math")
        formula = translator.encode(tex)
    # Without this, the left bar of a norm would grow with the largest sum beside it.
    formula = re.sub(r"<mo([^>]*)>‖</mo>", r'<mo\1 stretchy="false">‖</mo>', formula)
    translator.body.append(f"{translator.starttag(node, tag, '', CLASS='math')}{formula}</{tag}>")
    raise nodes.SkipNode


def visit_math(translator, node):
    """Write a formula in a line of text."""
    visit(translator, node, "span", as_block=False)


def visit_math_block(translator, node):
    """Write a formula on lines of its own."""
    visit(translator, node, "div", as_block=True)


def setup(app):
    """Register the renderer under the name "mathml", and connect to the event of a page that has been read."""
    app.connect("doctree-read", keep_together)
    app.add_html_math_renderer("mathml", (visit_math, None), (visit_math_block, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
