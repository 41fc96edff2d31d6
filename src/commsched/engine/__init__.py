"""The one loop: wake, plan, send. Local, and virtual for simulation: the same path, another clock."""
