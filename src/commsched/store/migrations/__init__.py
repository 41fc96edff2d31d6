"""Migrations (Alembic)."""
