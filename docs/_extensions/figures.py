"""Pictures and numbers that stay readable on a narrow screen, by classes that site.css knows."""

import re
from pathlib import Path

from docutils import nodes
from PIL import Image

# A picture of this width, or of this width divided by its height, has several panels: it scrolls instead of shrinking.
WIDTH, RATIO = 1000, 1.7


def is_wide(app, uri, docname):
    """Whether the file of a picture is wide. A thumbnail never is."""
    folder = app.srcdir if uri.startswith("/") else Path(app.srcdir, docname).parent
    paths = [Path(folder, uri.lstrip("/")), Path(app.srcdir, uri)]
    path = next((path for path in paths if path.suffix == ".png" and path.exists()), None)
    if path is None or "thumb" in path.name:
        return False
    width, height = Image.open(path).size
    return width >= WIDTH or width > RATIO * height


def mark(app, doctree, docname):
    """Give the class "picture" to wide pictures, and "number" to cells of a table without letters."""
    # sphinx-gallery has a class of its own for pictures.
    for image in list(doctree.findall(lambda node: isinstance(node, nodes.image) or node.tagname == "imgsgnode")):
        if not is_wide(app, image["uri"], docname):
            continue
        while isinstance(image.parent, (nodes.reference, nodes.paragraph)) and len(image.parent) == 1:
            image = image.parent
        if isinstance(image.parent, nodes.figure):
            image.parent["classes"].append("picture")
        else:
            box = nodes.container(classes=["picture"])
            image.replace_self(box)
            box.extend(image.children if isinstance(image, nodes.paragraph) else [image])
    for cell in doctree.findall(nodes.entry):
        if not re.search("[A-Za-z]{2}", cell.astext()):
            cell["classes"].append("number")


def setup(app):
    """Connect to the event of a page whose references are resolved."""
    app.connect("doctree-resolved", mark)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
