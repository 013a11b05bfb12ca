"""The drawings of the contributor guide, as SVG in the page, in the colours of its theme.

``architecture`` reads who may import what from tests/test_architecture.py, who does from the modules, and what a module
is for from its first line: the drawing is that of the code it is built with.
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


def box(x, y, width, height, title, lines, kind="box", hint="", below=()):
    """A rectangle with a title and lines of text; those `below` are about what it stands on."""
    text = [f'<text x="{x + 9}" y="{y + 19}" class="title">{html.escape(title)}</text>']
    for k, line in enumerate([*lines, *below]):
        kind_of_text = "text" if k < len(lines) else "below"
        place = f'x="{x + 9}" y="{y + 19 + LINE * (k + 1)}"'
        text.append(f'<text {place} class="{kind_of_text}">{html.escape(line)}</text>')
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


def rules():
    """MAY_IMPORT, LAYERS and TOP of the test of the architecture."""
    names = {"MAY_IMPORT", "LAYERS", "TOP"}
    tree = ast.parse((ROOT / "tests" / "test_architecture.py").read_text(encoding="utf-8"))
    kept = [node for node in tree.body if isinstance(node, ast.Assign) and node.targets[0].id in names]
    space = {}
    exec(compile(ast.Module(kept, []), "test_architecture", "exec"), space)  # literals, and set()
    return space["MAY_IMPORT"], space["LAYERS"], space["TOP"]


def modules():
    """What each top-level module or folder of the package is for: the first line of its docstring."""
    found = {}
    for path in sorted((ROOT / "skfnn").glob("*")):
        source = path / "__init__.py" if path.is_dir() else path
        if path.stem != "__init__" and source.suffix == ".py" and source.exists():
            docstring = ast.get_docstring(ast.parse(source.read_text(encoding="utf-8"))) or ""
            found[path.stem] = docstring.partition("\n")[0]
    return found


def short(line, width):
    """A first line of a docstring, in at most four lines of text: what stands before the colon, if it is long."""
    line = line.rstrip(".")
    lines = textwrap.wrap(line, width)
    if len(lines) > 4:
        lines = textwrap.wrap(line.partition(":")[0], width)
    return lines[:4]


def depth(module, may_import):
    """How many imports deep a module of the engine is."""
    return 1 + max((depth(name, may_import) for name in may_import.get(module, ())), default=-1)


def split(names):
    """The names of a row in as many rows as they need."""
    n_rows = -(-len(names) // MOST)
    return [names[k * len(names) // n_rows : (k + 1) * len(names) // n_rows] for k in range(n_rows)]


def band(title, rows, y, ideas, may_import):
    """A band of the drawing with rows of modules; returns its SVG and its bottom."""
    content, top = [], y
    y += 30
    for names in [part for row in rows for part in split(row)]:
        width = (WIDTH - 2 * PAD - GAP * (len(names) - 1)) / max(len(names), 3)
        characters = int((width - 14) / PER_CHARACTER)
        texts = {name: short(ideas[name], characters) for name in names}
        below = {name: needs(may_import.get(name), characters) for name in names}
        height = 30 + LINE * max(len(texts[name]) + len(below[name]) for name in names)
        x = (WIDTH - len(names) * width - GAP * (len(names) - 1)) / 2
        for name in names:
            content.append(
                box(round(x), y, round(width), height, name, texts[name], hint=ideas[name], below=below[name])
            )
            x += width + GAP
        y += height + 14
    bottom = y - 14 + PAD
    frame = f'<rect x="1" y="{top}" width="{WIDTH - 2}" height="{bottom - top}" rx="10" class="band"/>'
    caption = f'<text x="{PAD}" y="{top + 20}" class="caption">{html.escape(title)}</text>'
    return [frame, caption, *content], bottom


def needs(names, width):
    """What a module of the engine imports of the package, in lines of text."""
    return textwrap.wrap("needs " + ", ".join(sorted(names)), width) if names else []


def architecture():
    """The layers of the package."""
    may_import, layers, top = rules()
    ideas = modules()
    rest = set(ideas) - set(may_import).union(*layers, top)
    public = sorted(name for name in rest if name[0] != "_")
    # What the rules do not name stands with the modules that turn parameters into objects.
    private = sorted(rest.union(layers[0] - set(may_import), layers[1]) - set(public))
    by_depth = {}
    for module in sorted(may_import):
        by_depth.setdefault(min(depth(module, may_import), 2), []).append(module)
    bands = [
        ("What a user imports", [[*sorted(top), *public]]),
        ("What all estimators share", [sorted(layers[2])]),
        ("From what a user gives to objects and numbers", [private]),
        ("The engine: arrays, no estimators, no scikit-learn", [by_depth[level] for level in sorted(by_depth)[::-1]]),
    ]
    content, bottom = [], -21
    for title, rows in bands:
        y = bottom + 22
        if y > 1:
            content.append(arrow((WIDTH / 2, bottom + 1), (WIDTH / 2, y - 1)))
        parts, bottom = band(title, rows, y, ideas, may_import)
        content += parts
    return picture(content, bottom + 1, "The layers of the package; imports go downwards only")


# x, row, width, title and lines of the boxes of the way of a mini-batch.
STATIONS = [
    (10, 0, 150, "X, y", "in memory, in a file|or sparse;|never copied whole"),
    (
        210,
        0,
        220,
        "_batches",
        "every epoch a new permutation;|gather the rows of a block,|cast them, append a column|of ones",
    ),
    (
        480,
        0,
        220,
        "_first_layer, _network",
        "forward: a product a layer,|A_l = f_l(A_(l-1) [W_l; b_l]),|the activation in place",
    ),
    (750, 0, 200, "_losses", "raw outputs to the loss of|every row and the deltas D_L,|in one pass, in place"),
    (750, 1, 200, "_network", "backward: the deltas of the|layer below,|D_(l-1) = D_l W_l^T * f'(A_(l-1))"),
    (
        480,
        1,
        220,
        "_solvers, _first_layer",
        "the step, into the weights:|W_l += -eta/Omega A_(l-1)^T D_l;|or momentum, Adam",
    ),
    (210, 1, 220, "_training", "the loop: the next mini-batch,|until the epoch is over"),
    (10, 1, 150, "_monitor", "after every epoch:|history, validation,|patience, callbacks,|stop?"),
]


def minibatch():
    """The way of a mini-batch through the engine."""
    content = [
        box(x, 10 + 180 * row, width, 100, title, lines.split("|"), "box" if title[0] == "_" else "data")
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
    return picture(content, 300, "The way of a mini-batch through the modules of the engine")


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
