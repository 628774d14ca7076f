"""`python -m backend.cli` is `foresync`."""

from __future__ import annotations

import sys

from backend.cli.main import main

sys.exit(main())
