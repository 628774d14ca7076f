"""A program in the place of `python -m workers`, with its commands, that plays runs instead of training them.

`run`: a spec with `stop.iterations` is simulated and written in one go, as a run that completes. Any other run
writes what the test puts, event by event, into `say.jsonl` of its directory, until that closes the run, a stop is
asked for, or a line `"die"` comes, at which the process ends without a closing event.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

CATALOGUE: dict[str, Any] = {
    "models": [
        {"name": "mlp", "help": "A perceptron.", "input_shapes": "any", "image_only": False},
        {"name": "lenet5", "help": "LeNet-5.", "input_shapes": "images of 28 x 28", "image_only": True},
    ],
    "datasets": [
        {
            "name": "digits",
            "help": "Digits.",
            "is_available": True,
            "reason": "",
            "sample_shape": [1, 8, 8],
            "num_train": 40,
            "num_test": 10,
            "num_classes": 10,
            "models": ["mlp"],
        },
        {
            "name": "fashion_mnist",
            "help": "Clothes.",
            "is_available": False,
            "reason": "it is not installed",
            "sample_shape": [1, 28, 28],
            "num_train": 60_000,
            "num_test": 10_000,
            "num_classes": 10,
            "models": ["mlp", "lenet5"],
        },
    ],
    "versions": {"python": "3", "torch": "none"},
    "step_s": {"mlp/digits": 0.0001},
}


def own(option: str) -> dict[str, Any]:
    """Describe the folder of `--data-dir=FOLDER`."""
    folder = Path(option.partition("=")[2])
    is_available = (folder / "data").exists()
    reason = "" if is_available else "it holds nothing"
    return {**CATALOGUE["datasets"][0], "name": folder.name, "is_available": is_available, "reason": reason}


def main(command: str, *rest: str) -> None:
    if command == "catalogue":
        sys.stdout.write(
            json.dumps({**CATALOGUE, "datasets": [*CATALOGUE["datasets"], *(own(option) for option in rest)]})
        )
        return
    from tests.api import playing  # the catalogue is asked for often, and needs none of it

    if command == "host":
        playing.host(rest[0])
    else:
        playing.play(Path(rest[0]), is_resume="--resume" in rest)


if __name__ == "__main__":
    main(*sys.argv[1:])
