"""The hands: real parameter-server training processes. `python -m workers` is their program."""
