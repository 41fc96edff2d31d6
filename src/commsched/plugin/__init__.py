"""What plugins are made of: base classes, what they are handed, and the hooks that announce them."""
