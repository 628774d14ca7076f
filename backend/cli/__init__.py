"""The program `foresync`: one module for each command, `main.py` ties them together."""
