"""The language in which runs are filtered, for REST and the dashboard alike: `policy:ssp utilisation>=0.95 -tag:old`.

A text is cut into tokens (`tokens`), read into a tree (`parser`, `syntax`) and compiled into an SQL expression
whose every value is a bound parameter (`conditions`). Nothing is ever evaluated.

    filter   = and { "or" and }
    and      = part { ["and"] part }
    part     = ("-" | "not") part | "(" filter ")" | term | text
    term     = key operator value { "," value }
    operator = ":" | "=" | "!=" | "<" | "<=" | ">" | ">="
    text     = a word, or words in double quotes: searched in the names and tags
"""

from __future__ import annotations
