"""Turn links to files of the source into links to their pages in the site.

So the pages can be read in the folder, where an example is a script, and in the site.
"""

import re

PAGES = [
    (re.compile(r"\]\((?:\.\./)+examples/(plot_\w+)\.py\)"), r"](/auto_examples/\1.rst)"),
    (re.compile(r"\]\((?:\.\./)+examples/?\)"), "](/auto_examples/index.rst)"),
    (re.compile(r"\]\((?:\.\./)+benchmarks/(?:RESULTS|README)\.md\)"), "](/benchmarks.md)"),
    (re.compile(r"\]\((?:\.\./)+benchmarks/ARCHIVE\.md\)"), "](/benchmarks_archive.md)"),
    (re.compile(r"\]\((?:\.\./)+CHANGELOG\.md\)"), "](/changelog.md)"),
]


def redirect(app, name, source):
    """Change the links in the text of a page, in place."""
    for link, page in PAGES:
        source[0] = link.sub(page, source[0])


def setup(app):
    """Connect to the event of a page that is read."""
    app.connect("source-read", redirect)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
