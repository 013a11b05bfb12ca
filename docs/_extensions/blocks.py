"""Code blocks without the empty line that ends a doctest."""

from docutils import nodes


def strip(app, doctree):
    """Remove the space at the end of every code block of a page."""
    for block in doctree.findall(nodes.literal_block):
        if len(block) == 1 and isinstance(block[0], nodes.Text):
            text = block.astext().rstrip()
            block.rawsource = text
            block[:] = [nodes.Text(text)]


def setup(app):
    """Connect to the event of a page that has been read."""
    app.connect("doctree-read", strip)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
