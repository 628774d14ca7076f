"""The synchronisation benchmark: virtual-time training of small models, tuned and compared (METHOD section 8)."""
