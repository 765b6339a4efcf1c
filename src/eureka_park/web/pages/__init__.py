"""Pages for people: drawn on the server, readable without JavaScript, in their languages."""
