"""For tests of deployments and plugins: laws that every plugin must pass, and the story language."""
