"""Pictures drawn on the server as SVG: no script, no style attribute; colours by class, words by the caller."""
