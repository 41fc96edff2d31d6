"""Built-in sources: one file a kind."""
