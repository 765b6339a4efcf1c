"""Keys of confidential projects: who keeps them, and for how long they are at hand."""
