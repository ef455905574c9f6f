"""How Sphinx makes a site of this folder: `make docs`, which first makes the pages of reference/ from the code."""

project = "MASH"
extensions = ["myst_parser"]
html_theme = "furo"
html_title = "MASH"
myst_heading_anchors = 4
# A page may point to a file of the house that is no page, as it does where the code is read.
# A diagram is shown as the text that it is made of.
suppress_warnings = ["myst.xref_missing", "misc.highlighting_failure"]
