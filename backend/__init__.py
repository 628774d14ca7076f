"""The backend of Foresync: it starts runs, follows their logs, stores, streams and serves them.

It never imports torch or `workers`: what joins it with a run is the run's directory (`backend.runs.rundir`).
"""
