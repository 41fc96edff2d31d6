"""Everything that can be said to be wrong with a deployment before it sends anything."""
