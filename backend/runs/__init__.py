"""Runs as processes and files: their directories, their queue, the follower of their logs."""
