"""What a recorded run would have been under other policies: checked, computed beside the server, kept.

`request`   what is asked for, every grid of values expanded
`program`   the process that reads the log and simulates: `python -m backend.what_if.program`
`desk`      starts it, one at a time, passes on what it says, keeps the answers
"""
