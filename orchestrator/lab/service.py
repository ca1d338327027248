"""A thread with an event loop, and the listeners in it."""

import asyncio
import ssl
import threading
from collections.abc import Callable, Coroutine, Iterable
from typing import Any, TypeVar

from orchestrator.lab.connection import Connection
from orchestrator.lab.endpoint import Endpoint

T = TypeVar("T")
Make = Callable[[Callable[[Connection, bool], None]], Connection]
"""Makes the server's side of a connection; it tells when that opens and closes."""


class Service:
    """Serves connections until it is stopped."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = asyncio.new_event_loop()
        self._listeners: dict[int, asyncio.Server] = {}
        self._connections: set[Connection] = set()
        self._thread = threading.Thread(target=self._loop.run_forever, name="lab", daemon=True)
        self._thread.start()

    def call(self, work: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine in the service's thread and return its result."""
        if self._loop is None:
            work.close()
            raise RuntimeError("the service is stopped")
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    def listen(
        self, make: Make, address: str, port: int, context: ssl.SSLContext | None = None
    ) -> int:
        """Accept connections and return the port. OSError where it cannot be had."""
        return self.call(self._listen(make, address, port, context))

    async def _listen(
        self, make: Make, address: str, port: int, context: ssl.SSLContext | None
    ) -> int:
        loop = asyncio.get_running_loop()
        listener = await loop.create_server(lambda: make(self._counted), address, port, ssl=context)
        chosen = int(listener.sockets[0].getsockname()[1])
        self._listeners[chosen] = listener
        return chosen

    async def reopen(
        self, make: Make, address: str, port: int, context: ssl.SSLContext | None = None
    ) -> None:
        """Accept connections on *port* again; nothing happens where that is so already."""
        if port not in self._listeners:
            await self._listen(make, address, port, context)

    async def cut_off(self, endpoint: Endpoint, ports: Iterable[int]) -> None:
        """Stop listening on *ports* and break every connection to *endpoint*."""
        for port in ports:
            listener = self._listeners.pop(port, None)
            if listener is not None:
                listener.close()
        for connection in list(self._connections):
            if connection.endpoint is endpoint:
                connection.abort()

    def _counted(self, connection: Connection, opened: bool) -> None:  # noqa: FBT001 - a callback
        if opened:
            self._connections.add(connection)
        else:
            self._connections.discard(connection)

    def stop(self) -> None:
        """Close every listener and connection, cancel what runs, end the thread."""
        if self._loop is None:
            return
        self.call(self._close())
        loop, self._loop = self._loop, None
        loop.call_soon_threadsafe(loop.stop)
        self._thread.join()
        loop.close()

    async def _close(self) -> None:
        for listener in self._listeners.values():
            listener.close()
        for connection in list(self._connections):
            connection.abort()
        current = asyncio.current_task()
        others = [task for task in asyncio.all_tasks() if task is not current]
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        # Aborted transports tell their protocols in the next turn of the loop.
        await asyncio.sleep(0)
