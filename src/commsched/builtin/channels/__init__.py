"""Built-in channels: one file a kind."""
