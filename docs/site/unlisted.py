"""Makes a page that is in no menu a warning, which a strict build refuses.

MkDocs warns of pages that it was not told of, but not of those that a plugin has marked as known.
"""

import logging
from typing import Any

_LOG = logging.getLogger("mkdocs.hooks.unlisted")


def on_nav(nav: Any, config: Any, files: Any) -> None:
    """Compare the pages of the site with those of its menu; MkDocs calls this for every build."""
    listed = {page.file.src_uri for page in nav.pages}
    for file in files.documentation_pages():
        if file.src_uri not in listed:
            _LOG.warning("%s is a page of the site and in no menu", file.src_uri)
