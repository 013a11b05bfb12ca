"""Formulas as MathML, which every browser draws by itself: no script, no fonts to load, text that can be selected."""

from docutils import nodes
from docutils.utils.math import MathError
from docutils.utils.math.latex2mathml import tex2mathml
from sphinx.util import logging

logger = logging.getLogger(__name__)


def visit(translator, node, tag, as_block):
    """Write a formula; its source, with a warning, where it has a command that the converter does not know."""
    # The converter has the commands of mathematics; \texttt, which sets a name of the program, is one of text.
    tex = node.astext().replace(r"\texttt", r"\mathtt")
    try:
        formula = tex2mathml(tex, as_block=as_block)
    except MathError as error:
        logger.warning("formula: %s", error, location=node, type="math")
        formula = translator.encode(tex)
    translator.body.append(f"{translator.starttag(node, tag, '', CLASS='math')}{formula}</{tag}>")
    raise nodes.SkipNode


def visit_math(translator, node):
    """Write a formula in a line of text."""
    visit(translator, node, "span", as_block=False)


def visit_math_block(translator, node):
    """Write a formula on lines of its own."""
    visit(translator, node, "div", as_block=True)


def setup(app):
    """Register the renderer under the name "mathml"."""
    app.add_html_math_renderer("mathml", (visit_math, None), (visit_math_block, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
