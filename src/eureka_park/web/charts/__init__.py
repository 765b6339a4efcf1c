"""Pictures drawn by the server as SVG: no script or style attribute; colours by class, words by the reader's language."""
