"""Configuration of the documentation site; .ci/docs builds it."""

import sys
from pathlib import Path

import matplotlib

DOCS = Path(__file__).resolve().parent
sys.path.insert(0, str(DOCS.parent))

import skfnn  # noqa: E402 (the one beside this folder)

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
    "docs._extensions.mathml",
    "docs._extensions.names",
    "docs._extensions.sources",
]
exclude_patterns = ["_build", "_extensions", "_templates", "auto_examples/*.py.md5"]
templates_path = ["_templates"]

# A reference that leads nowhere is a warning, and .ci/docs takes warnings for errors. What belongs to other projects is
# resolved by _extensions/elsewhere.py, without a download of their inventories.
# `name` in a docstring is the name of a parameter or an attribute.
default_role = "literal"
nitpicky = True
# Properties that stand in the list of attributes and need no place of their own.
nitpick_ignore = [("py:obj", "coefs_"), ("py:obj", "intercepts_")]
extlinks = {"arxiv": ("https://arxiv.org/abs/%s", "arXiv:%s"), "doi": ("https://doi.org/%s", "doi:%s")}

# --- Markdown ---------------------------------------------------------------------------------------------------------
myst_enable_extensions = ["colon_fence", "dollarmath"]
# page.md#a-heading, as such links are written for other readers of Markdown too.
myst_heading_anchors = 3
# Formulas become MathML when the site is built: no script, no download, selectable text.
html_math_renderer = "mathml"

# Code blocks of the pages that end in a picture.
plot_formats = [("png", 110)]
plot_html_show_formats = False
plot_html_show_source_link = False

# --- Reference --------------------------------------------------------------------------------------------------------
autosummary_generate = True
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
    "filename_pattern": r"/plot_",
    # mnist.py is a program with options, not a page.
    "ignore_pattern": r"(^|/)(?!plot_)[^/]*\.py$",
    "within_subsection_order": "docs._extensions.reading_order.ReadingOrder",
    "doc_module": ("skfnn",),
    "backreferences_dir": "gen_modules",
    "reference_url": {"skfnn": None},
    "inspect_global_variables": False,
    "remove_config_comments": True,
    "show_memory": False,
    "thumbnail_size": (600, 280),
    "show_signature": False,
    "plot_gallery": "True",
    # Its tables load scripts from the network.
    "write_computation_times": False,
}

# --- Look -------------------------------------------------------------------------------------------------------------
html_theme = "pydata_sphinx_theme"
html_title = f"skfnn {release}"
# A font with the measures that formulas are set by, for browsers on systems that have none: see site.css.
html_static_path = ["_static", str(Path(matplotlib.get_data_path(), "fonts/ttf/DejaVuSerif.ttf"))]
html_css_files = ["site.css"]
html_favicon = "_static/logo.svg"
html_show_sourcelink = False
html_copy_source = False
html_sidebars = {
    page: []
    for page in ("index", "installation", "getting_started", "benchmarks", "mnist", "contributing", "changelog")
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
# What is copied is the code, without its prompts and results.
copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True
