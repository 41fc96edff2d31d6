"""Built-in policies: one file a kind."""
