"""Screening a list against the customers: who on it is known, by what evidence, and must not be approached."""
