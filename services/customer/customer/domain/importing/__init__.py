"""Bringing customers in from files: columns, rows, and what becomes of each row (C-09 to C-12)."""
