"""What a recorded run would have been under other policies: checked, computed beside the server, kept.

`request`   what is asked for, every grid of values expanded
`program`   the process that reads the log and simulates: `python -m backend.what_if.program`
`helper`    starts it, keeps it for some minutes, passes on what it says
`desk`      lets one compute at a time, keeps the answers
"""
