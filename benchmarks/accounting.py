"""Measure how much of the workers' wall time the accounting cannot name: every policy, live and in virtual time.

    python -m benchmarks.accounting [--launchers processes,virtual] [--policies A,B,...] [--page docs/accounting.md]

Four workers, one of them three times slower, train a small network on the digits for 60 iterations each, messages
take 20 ms. The table takes its place in docs/accounting.md, between the marks.
"""

from __future__ import annotations

import argparse
import json
import math
from pathlib import Path
from typing import Any

from benchmarks.live_runs import ROOT, carry_out, machine, markdown
from predictor import log
from predictor.accounting import Account
from predictor.policies import POLICIES
from predictor.spec import read_run

PAGE = ROOT / "docs" / "accounting.md"
MARKS = ("<!-- table of benchmarks/accounting.py: begin -->\n", "<!-- table of benchmarks/accounting.py: end -->\n")
EXPECTED_S = 30.0
LAUNCHERS = {"processes": "live", "virtual": "virtual time"}
HEAD = (
    "policy",
    "run",
    "computing",
    "waiting",
    "messages",
    "starting",
    "unfinished",
    "unaccounted",
    "largest error of the sum",
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--launchers", default=",".join(LAUNCHERS))
    parser.add_argument("--policies", default=",".join(POLICIES))
    parser.add_argument("--page", type=Path, default=PAGE)
    options = parser.parse_args()
    rows = []
    for launcher in options.launchers.split(","):
        for policy in options.policies.split(","):
            rows.append(row_of(policy, launcher, account_of(policy, launcher)))
            print(*rows[-1], sep="  ", flush=True)
    put(options.page, "\n".join([about(), "", *markdown(HEAD, rows)]) + "\n")


def account_of(policy: str, launcher: str) -> dict[str, Any]:
    """Carry out one run and give its account."""
    spec = read_run(
        {
            "name": f"{policy} {launcher}",
            "task": {"model": "mlp", "dataset": "digits", "batch_size": 32, "learning_rate": 0.1},
            "cluster": {"num_workers": 4, "launcher": launcher},
            "policy": {"name": policy},
            "speed": {"kind": "lognormal", "base_s": 0.05, "factors": [1, 1, 1, 3], "cv": 0.2},
            "transfer": {"transfer_s": 0.02, "cv": 0.2},
            "stop": {"iterations": 60, "seconds": None},
            "evaluate_every_s": 1.0,
        }
    )
    account = Account()
    for seq, event in enumerate(carry_out(spec, EXPECTED_S), 1):
        account.update(json.loads(log.with_seq(log.encode(event), seq)))
    return account.report()


def row_of(policy: str, launcher: str, account: dict[str, Any]) -> list[str]:
    """Give a line of the table; shares are of all workers' wall time together."""
    total = account["total"]
    parts, wall_s = total["parts"], total["wall_s"]
    shares_s = (
        parts["compute"] + parts["overlap"] + parts["stall"],
        parts["wait"],
        parts["up"] + parts["server"] + parts["down"],
        parts["startup"],
        parts["unfinished"],
    )
    # Of each worker by itself, since what one has too much another one may lack.
    gaps_s = [math.fsum(row["parts"].values()) + row["unaccounted_s"] - row["wall_s"] for row in account["workers"]]
    return [
        policy,
        LAUNCHERS[launcher],
        *(f"{100 * seconds / wall_s:.1f}%" for seconds in shares_s),
        f"{100 * total['unaccounted_s'] / wall_s:.3f}%",
        f"{max(map(abs, gaps_s)):.0e} s",
    ]


def about() -> str:
    return f"`python -m benchmarks.accounting`, {machine()}. Live runs are measured, the others simulated."


def put(page: Path, text: str) -> None:
    """Put the table between the marks of the page."""
    before, _, rest = page.read_text().partition(MARKS[0])
    _, _, after = rest.partition(MARKS[1])
    page.write_text(f"{before}{MARKS[0]}\n{text}\n{MARKS[1]}{after}")


if __name__ == "__main__":
    main()
