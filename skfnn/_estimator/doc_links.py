"""Links from the HTML representation of an estimator to its page of the documentation."""

from functools import cache
from importlib.metadata import PackageNotFoundError, metadata


class DocumentationLink:
    """Gives an estimator the attributes from which scikit-learn makes the link and the hover help of parameters.

    There is no link until the package's metadata have a project URL named Documentation.
    """

    _doc_link_module = "skfnn"
    # The name of the estimator's page. scikit-learn fills in the fields.
    _doc_page = "{estimator_module}.{estimator_name}"

    @property
    def _doc_link_template(self):
        address = documentation_address()
        return f"{address}/api/generated/{self._doc_page}.html" if address else ""


@cache
def documentation_address():
    """The address of the documentation, without a slash at the end; None if the metadata have none."""
    try:
        entries = metadata("skfnn").get_all("Project-URL", [])
    except PackageNotFoundError:  # the package is imported from a folder, without being installed
        return None
    for entry in entries:
        label, _, address = entry.partition(",")
        if label.strip().lower() == "documentation":
            return address.strip().rstrip("/")
    return None
