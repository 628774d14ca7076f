"""Exports: a run as files for other programs, and as a report that opens anywhere.

`source`      what a run is read from: the store, or a directory
`tables`      its events folded into tables, row by row
`write`       a table as CSV, JSON, JSON Lines or Parquet (`parquet`)
`perfetto`    the timeline as a trace
`flat_runs`   one row a run
`report`      one HTML file for one run; `comparison` for several
`make`        the one place that knows which format makes what
"""
