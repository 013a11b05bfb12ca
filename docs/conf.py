"""Configuration of the documentation site; .ci/docs builds it."""

import sys
from pathlib import Path

import matplotlib
from sklearn.experimental import enable_halving_search_cv  # noqa: F401 (an example names the classes)

DOCS = Path(__file__).resolve().parent
sys.path.insert(0, str(DOCS.parent))

import skfnn  # noqa: E402 (the one beside this folder)
from skfnn.datasets import fetch_mnist  # noqa: E402


def has_mnist():
    """Whether MNIST can be read without a download."""
    try:
        fetch_mnist(subset="all", download_if_missing=False)
    except OSError:
        return False
    return True


project = "skfnn"
author = "The skfnn developers"
copyright = "The skfnn developers, BSD 3-Clause License"
version = release = skfnn.__version__

extensions = [
    "matplotlib.sphinxext.plot_directive",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.extlinks",
    "sphinx.ext.viewcode",
    "numpydoc",
    "myst_parser",
    "sphinx_copybutton",
    "sphinx_design",
    "sphinx_gallery.gen_gallery",
    # Of this folder.
    "docs._extensions.blocks",
    "docs._extensions.drawings",
    "docs._extensions.elsewhere",
    "docs._extensions.figures",
    "docs._extensions.mathml",
    "docs._extensions.names",
    "docs._extensions.sources",
]
exclude_patterns = ["_build", "_extensions", "_templates", "auto_examples/*.py.md5"]
templates_path = ["_templates"]

# A broken reference is a warning, and .ci/docs treats warnings as errors. _extensions/elsewhere.py resolves references
# to other projects without downloading their inventories.
# `name` in a docstring is the name of a parameter or an attribute.
default_role = "literal"
nitpicky = True
# Properties that are described in the list of attributes only.
nitpick_ignore = [("py:obj", name) for name in ("coefs_", "intercepts_", "out_activation_")]
extlinks = {"arxiv": ("https://arxiv.org/abs/%s", "arXiv:%s"), "doi": ("https://doi.org/%s", "doi:%s")}

# --- Markdown ---------------------------------------------------------------------------------------------------------
myst_enable_extensions = ["colon_fence", "dollarmath"]
# Headings have anchors, so links such as page.md#a-heading work here as in other readers of Markdown.
myst_heading_anchors = 3
# Formulas become MathML when the site is built: no script, no download, selectable text.
html_math_renderer = "mathml"

# The picture of a code block: one format, without links to files.
plot_formats = [("png", 110)]
plot_html_show_formats = False
plot_html_show_source_link = False

# --- Reference --------------------------------------------------------------------------------------------------------
autosummary_generate = True
# The pages of the user guide that a page of the reference links to, by its name or else by its module.
_guide = {
    "skfnn.FNNClassifier": ["algorithms", "choosing", "validation", "regularisation", "resuming"],
    "skfnn.FNNRegressor": ["regression", "algorithms", "choosing", "validation", "resuming"],
    "skfnn.tabular": ["tables"],
    "skfnn.inspection": ["inspection"],
    "skfnn.exceptions": ["with_scikit_learn"],
    "skfnn.callbacks": ["callbacks", "resuming"],
    "skfnn.datasets": ["datasets"],
    "skfnn.onnx": ["onnx"],
}
autosummary_context = {"guide": _guide}
# A signature that is longer has one parameter on each line.
maximum_signature_line_length = 80
autodoc_typehints = "none"
# The templates list the methods themselves.
numpydoc_show_class_members = False
numpydoc_class_members_toctree = False
add_module_names = False
toc_object_entries_show_parents = "hide"

# --- Examples ---------------------------------------------------------------------------------------------------------
sphinx_gallery_conf = {
    "examples_dirs": str(DOCS.parent / "examples"),
    "gallery_dirs": "auto_examples",
    # Without the files of MNIST, its page shows the code without output.
    "filename_pattern": r"/plot_" if has_mnist() else r"/plot_(?!mnist)",
    # mnist.py is a program with options, not a page.
    "ignore_pattern": r"(^|/)(?!plot_)[^/]*\.py$",
    "within_subsection_order": "docs._extensions.reading_order.ReadingOrder",
    "doc_module": ("skfnn",),
    "backreferences_dir": "gen_modules",
    "reference_url": {"skfnn": None},
    "inspect_global_variables": False,
    "remove_config_comments": True,
    "show_memory": False,
    # The page of an example does not show its running time, which on a busy machine says little.
    "min_reported_time": 86400,
    "thumbnail_size": (600, 280),
    "show_signature": False,
    "plot_gallery": "True",
    # Its tables load scripts from the network.
    "write_computation_times": False,
}

# --- Look -------------------------------------------------------------------------------------------------------------
html_theme = "pydata_sphinx_theme"
html_title = f"skfnn {release}"
# The font for formulas, for systems that have no mathematical font: see site.css.
html_static_path = ["_static", str(Path(matplotlib.get_data_path(), "fonts/ttf/DejaVuSerif.ttf"))]
html_css_files = ["site.css"]
html_favicon = "_static/logo.svg"
html_show_sourcelink = False
html_copy_source = False
html_sidebars = {
    page: []
    for page in (
        "index",
        "installation",
        "getting_started",
        "faq",
        "tables",
        "benchmarks",
        "benchmarks_archive",
        "mnist",
        "contributing",
        "changelog",
    )
}
html_theme_options = {
    "logo": {"text": "skfnn", "image_light": "_static/logo.svg", "image_dark": "_static/logo.svg"},
    "header_links_before_dropdown": 5,
    "navbar_align": "left",
    "show_prev_next": True,
    "show_toc_level": 2,
    "secondary_sidebar_items": ["page-toc"],
    "footer_start": ["copyright"],
    "footer_end": ["sphinx-version", "theme-version"],
    "pygments_light_style": "tango",
    "pygments_dark_style": "monokai",
}
# The copy button copies the code without prompts and results.
copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True
