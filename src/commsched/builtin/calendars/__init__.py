"""Built-in calendars: one file a kind."""
