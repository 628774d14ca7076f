"""Transports: one file each, one line here. `base` says what a transport is."""

from __future__ import annotations

from collections.abc import Callable

from workers.transport.base import Transport
from workers.transport.in_process import InProcessTransport
from workers.transport.torch_rpc import TorchRpcTransport

TRANSPORTS: dict[str, Callable[[], Transport]] = {
    "torch_rpc": TorchRpcTransport,
    "in_process": InProcessTransport,
}

__all__ = ["TRANSPORTS", "Transport"]
