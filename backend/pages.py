"""The two small pages that the server shows in the dashboard's place. Self-contained: no script, no other file."""

from __future__ import annotations

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title} - Foresync</title>
<style>
:root {{ color-scheme: light dark; --ink: #1b2330; --soft: #5a6678; --paper: #f5f6f8; --card: #fff; --line: #d9dee6 }}
@media (prefers-color-scheme: dark) {{
  :root {{ --ink: #e6eaf0; --soft: #9aa6b8; --paper: #11151c; --card: #1a202a; --line: #2c3543 }}
}}
body {{ margin: 0; min-height: 100vh; display: grid; place-items: center; background: var(--paper); color: var(--ink);
  font: 16px/1.6 system-ui, sans-serif }}
main {{ max-width: 34rem; margin: 1rem; padding: 2rem; background: var(--card); border: 1px solid var(--line);
  border-radius: 12px }}
h1 {{ margin: 0 0 .5rem; font-size: 1.4rem }}
p {{ margin: .75rem 0 0; color: var(--soft) }}
code {{ color: var(--ink); overflow-wrap: anywhere }}
label {{ display: block; margin-top: 1.25rem }}
input, button {{ font: inherit; padding: .45rem .7rem; border: 1px solid var(--line); border-radius: 8px;
  background: var(--paper); color: inherit }}
input {{ width: 100%; box-sizing: border-box; margin-top: .25rem }}
button {{ margin-top: .75rem }}
</style>
</head>
<body><main><h1>{title}</h1>{body}</main></body>
</html>
"""

TOKEN_PAGE = _PAGE.format(
    title="A token is needed",
    body="""
<p>This dashboard starts and stops processes on its machine, so it opens only for whoever started it.</p>
<p>The terminal in which <code>foresync serve</code> runs has printed a link that ends in <code>?token=...</code>:
open that link once in this browser, or paste its token here.</p>
<form method="get" action="/"><label>Token
<input name="token" type="password" autocomplete="current-password" required autofocus></label>
<button>Open the dashboard</button></form>
""",
)

NOT_BUILT_PAGE = _PAGE.format(
    title="The dashboard is not built",
    body="""
<p>The server runs, and its API answers under <code>/api/v1</code>, but the dashboard's files are missing from
<code>backend/static</code>.</p>
<p><code>make setup</code> builds them; then load this page again.</p>
""",
)
