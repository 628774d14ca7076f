"""Comparing runs: settings over their seeds, with intervals. Pure; the queries stand in `backend.api.compare`."""
