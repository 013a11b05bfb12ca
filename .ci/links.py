"""Check that every link inside a built site leads to a file: python .ci/links.py SITE

Every ``href``, ``src`` and ``srcset`` without a host must name a file of the site, and the part after ``#`` must be the
id of an element in that file. Links to other hosts are not checked.
"""

import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit


class Page(HTMLParser):
    """The links of a page, as (line, address), and the ids that links may use."""

    def __init__(self, path):
        super().__init__()
        self.links, self.ids = [], {"", "top"}
        self.feed(path.read_text(encoding="utf-8"))
        self.close()

    def handle_starttag(self, tag, attrs):
        """Record the links of an element, and its id."""
        for name, value in attrs:
            if name == "id" or (tag == "a" and name == "name"):
                self.ids.add(value)
            elif name in {"href", "src", "poster"} and value is not None:
                self.links.append((self.getpos()[0], value))
            elif name == "srcset" and value is not None:
                self.links += [(self.getpos()[0], part.split()[0]) for part in value.split(",") if part.strip()]


def fault(site, source, address, pages):
    """The fault of a link, or None."""
    parts = urlsplit(address)
    if parts.scheme or parts.netloc:
        return None
    base = site if parts.path.startswith("/") else source.parent
    target = (base / unquote(parts.path).lstrip("/")).resolve() if parts.path else source
    if target.is_dir():
        target /= "index.html"
    if not target.is_relative_to(site):
        return "leads out of the site"
    if not target.is_file():
        return "no such file"
    if parts.fragment and target.suffix == ".html" and unquote(parts.fragment) not in pages[target].ids:
        return "no such id in that page"
    return None


def main(folder):
    """Print the broken links; return their number."""
    site = Path(folder).resolve()
    # Themes keep templates in _static. They are not pages.
    pages = {path: Page(path) for path in sorted(site.rglob("*.html")) if "_static" not in path.parts}
    if not pages:
        print(f"{folder}: no pages")
        return 1
    total, wrong = 0, 0
    for source, page in pages.items():
        for line, address in page.links:
            total += 1
            problem = fault(site, source, address, pages)
            if problem:
                wrong += 1
                print(f"{source.relative_to(site)}:{line}: {address}: {problem}")
    print(f"{len(pages)} pages, {total} links, {wrong} with errors")
    return wrong


if __name__ == "__main__":
    sys.exit(1 if main(*sys.argv[1:]) else 0)
