"""How the server holds a WebSocket: what a client does not read takes up little, and not for ever."""

from __future__ import annotations

from asyncio.transports import BaseTransport

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

HIGH_WATER_BYTES = 64 * 1024  # a writer waits from here on; beyond it lies at most one frame
FLUSH_S = 10.0  # for what was not read when the connection is closed; then it is cut


class SocketProtocol(WebSocketsSansIOProtocol):
    """uvicorn's protocol, whose writes wait for a slow reader, with an end to that waiting.

    Closing a transport waits until everything is written. A client that lives but never reads would so keep its
    buffers, and its socket, until it goes away.
    """

    def connection_made(self, transport: BaseTransport) -> None:
        super().connection_made(transport)
        self.transport.set_write_buffer_limits(high=HIGH_WATER_BYTES)

    async def run_asgi(self) -> None:
        await super().run_asgi()
        self.loop.call_later(FLUSH_S, self.transport.abort)  # nothing happens to one that is closed
