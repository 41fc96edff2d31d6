"""The pages behind customers' links, and the doors for providers: server-rendered, without a script."""
