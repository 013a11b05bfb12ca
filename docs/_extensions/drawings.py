"""The drawings of the contributor guide, as SVG in the page, in the colours of its theme.

``architecture`` reads the order of the floors from tests/environment/test_architecture.py, and the purpose of a module
from the first line of its docstring. So the drawing shows the code with which it is built.
"""

import ast
import html
import textwrap
from pathlib import Path

from docutils import nodes
from docutils.parsers.rst import Directive

ROOT = Path(__file__).resolve().parents[2]
WIDTH, GAP, PAD = 960, 14, 14
LINE = 15  # height of a line of text
PER_CHARACTER = 6.6  # width of a character of the small text, more than the mean
MOST = 5  # boxes in a row


def box(x, y, width, height, title, lines, kind="box", hint=""):
    """A rectangle with a title and lines of text."""
    text = [f'<text x="{x + 9}" y="{y + 19}" class="title">{html.escape(title)}</text>']
    for k, line in enumerate(lines):
        place = f'x="{x + 9}" y="{y + 19 + LINE * (k + 1)}"'
        text.append(f'<text {place} class="text">{html.escape(line)}</text>')
    hint = f"<title>{html.escape(hint)}</title>" if hint else ""
    rectangle = f'<rect x="{x}" y="{y}" width="{width}" height="{height}" rx="6" class="{kind}"/>'
    return f"<g>{hint}{rectangle}{''.join(text)}</g>"


def arrow(*points, label="", at=None):
    """A line through points with a head at its end; a label, centred at a point."""
    path = " ".join(f"{x},{y}" for x, y in points)
    text = f'<text x="{at[0]}" y="{at[1]}" class="text" text-anchor="middle">{html.escape(label)}</text>' if at else ""
    return f'<polyline points="{path}" class="arrow" marker-end="url(#arrow-head)"/>{text}'


def picture(content, height, label):
    """The whole SVG."""
    head = '<marker id="arrow-head" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
    return (
        f'<div class="drawing"><svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img" '
        f'aria-label="{html.escape(label)}"><defs>{head}<path d="M0 0 8 4 0 8z"/></marker></defs>'
        f"{''.join(content)}</svg></div>"
    )


def floors():
    """The names of the floors from the bottom up: FLOORS in the test of the architecture."""
    path = ROOT / "tests" / "environment" / "test_architecture.py"
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and node.targets[0].id == "FLOORS":
            return ast.literal_eval(node.value)
    raise LookupError(f"{path} has no FLOORS")


def idea(path):
    """What a module or a folder is for: the first line of its docstring, without backticks."""
    source = path / "__init__.py" if path.is_dir() else path
    return (ast.get_docstring(ast.parse(source.read_text(encoding="utf-8"))) or "").partition("\n")[0].replace("`", "")


def modules(folder, without=()):
    """What each module or folder inside a folder is for."""
    return {
        path.stem: idea(path)
        for path in sorted(folder.glob("[!_.]*" if folder.name[0] == "_" else "[!.]*"))
        if path.stem not in {"__init__", "__pycache__", *without} and (path.is_dir() or path.suffix == ".py")
    }


def short(line, width):
    """A first line of a docstring, in at most four lines of text: what stands before the colon, if it is long."""
    line = line.rstrip(".")
    lines = textwrap.wrap(line, width)
    if len(lines) > 4:
        lines = textwrap.wrap(line.partition(":")[0], width)
    return lines[:4]


def split(names):
    """The names of a row in as many rows as they need."""
    n_rows = -(-len(names) // MOST)
    return [names[k * len(names) // n_rows : (k + 1) * len(names) // n_rows] for k in range(n_rows)]


def band(title, ideas, y):
    """A band of the drawing: a title and the modules of a floor; returns its SVG and its bottom."""
    content, top = [], y
    y += 30
    for names in split(list(ideas)):
        width = (WIDTH - 2 * PAD - GAP * (len(names) - 1)) / max(len(names), 3)
        texts = {name: short(ideas[name], int((width - 14) / PER_CHARACTER)) for name in names}
        height = 30 + LINE * max(len(text) for text in texts.values())
        x = (WIDTH - len(names) * width - GAP * (len(names) - 1)) / 2
        for name in names:
            content.append(box(round(x), y, round(width), height, name, texts[name], hint=ideas[name]))
            x += width + GAP
        y += height + 14
    bottom = y - 14 + PAD
    frame = f'<rect x="1" y="{top}" width="{WIDTH - 2}" height="{bottom - top}" rx="10" class="band"/>'
    caption = f'<text x="{PAD}" y="{top + 20}" class="caption">{html.escape(title)}</text>'
    return [frame, caption, *content], bottom


def architecture():
    """The floors of the package, with what a user imports above them."""
    package, names = ROOT / "skfnn", floors()
    bands = [("What a user imports", modules(package, without=names))]
    bands += [(f"{name}: {idea(package / name)}", modules(package / name)) for name in reversed(names)]
    content, bottom = [], -21
    for title, ideas in bands:
        y = bottom + 22
        if y > 1:
            content.append(arrow((WIDTH / 2, bottom + 1), (WIDTH / 2, y - 1)))
        parts, bottom = band(title, ideas, y)
        content += parts
    return picture(content, bottom + 1, "The floors of the package; imports go downwards only")


# x, row, width, title and lines of the boxes on the path of a mini-batch.
STATIONS = [
    (10, 0, 150, "X, y", "in memory, in a file|or sparse;|never copied whole"),
    (210, 0, 220, "batches, rows", "a new permutation per epoch;|gather a block of rows,|shift, cast and scale it"),
    (
        480,
        0,
        220,
        "first_layer, passes",
        "forward: one product per layer,|Z_l = A_(l-1) [W_l; b_l],|then the activation in place",
    ),
    (750, 0, 200, "losses", "raw outputs to the loss of|each row and the deltas D_L,|in one pass, in place"),
    (750, 1, 200, "passes", "backward: the deltas of the|layer below,|D_(l-1) = D_l W_l^T * f'(Z_(l-1))"),
    (
        480,
        1,
        220,
        "updates, solvers",
        "the step, into the weights:|W_l += -eta/Omega A_(l-1)^T D_l;|or momentum, Adam",
    ),
    (210, 1, 220, "trainer", "the loop: the next mini-batch,|until the epoch is over"),
    (10, 1, 150, "monitor", "after each epoch:|history, validation,|patience, callbacks,|stop?"),
]


def minibatch():
    """The path of a mini-batch through the modules."""
    content = [
        box(x, 10 + 180 * row, width, 100, title, lines.split("|"), "data" if title == "X, y" else "box")
        for x, row, width, title, lines in STATIONS
    ]
    content += [
        arrow((160, 60), (206, 60)),
        arrow((430, 60), (476, 60)),
        arrow((700, 60), (746, 60)),
        arrow((850, 110), (850, 186)),
        arrow((750, 240), (704, 240)),
        arrow((480, 240), (434, 240)),
        arrow((320, 190), (320, 114), label="next mini-batch", at=(375, 155)),
        arrow((210, 240), (164, 240)),
        arrow((85, 190), (85, 150), (270, 150), (270, 114), label="next epoch", at=(140, 143)),
    ]
    return picture(content, 300, "The path of a mini-batch through the modules")


class Drawing(Directive):
    """Puts a drawing into the page."""

    draw = None

    def run(self):
        """Return the node of the drawing."""
        return [nodes.raw("", type(self).draw(), format="html")]


def setup(app):
    """Register the directives."""
    for draw in (architecture, minibatch):
        app.add_directive(draw.__name__, type(draw.__name__, (Drawing,), {"draw": staticmethod(draw)}))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
