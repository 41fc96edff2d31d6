"""Rules, services and vocabulary: from an operator's YAML to frozen values that the planner reads."""
