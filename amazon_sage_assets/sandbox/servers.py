"""Runs both sandbox servers on this machine, each on a port of its own, until told to stop."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import uvicorn
from starlette.types import ASGIApp

from amazon_sage_assets.sandbox import sage200, seller_central
from amazon_sage_assets.sandbox.faults import Faults
from amazon_sage_assets.sandbox.world import World

HOST = "127.0.0.1"
AMAZON_PORT, SAGE_PORT = 8810, 8820


@dataclass(frozen=True)
class Addresses:
    """Where the servers listen; `environment` makes any profile use them."""

    amazon: str
    sage: str

    @property
    def environment(self) -> dict[str, str]:
        return {
            "AMAZON_SAGE_AMAZON_ADDRESS": self.amazon,
            "AMAZON_SAGE_AMAZON_TOKEN_ADDRESS": self.amazon,
            "AMAZON_SAGE_SAGE_ADDRESS": self.sage + sage200.BASE,
            "AMAZON_SAGE_SAGE_TOKEN_ADDRESS": f"{self.sage}/oauth/token",
        }


class PortTaken(Exception):  # noqa: N818
    """Something else listens where the sandbox should."""


@contextmanager
def serving(world: World, amazon_port: int = 0, sage_port: int = 0) -> Iterator[Addresses]:
    """Both servers behind their faults; port 0 takes a free one."""
    with (
        _server(Faults(seller_central.create_app(world.central)), amazon_port) as amazon,
        _server(Faults(sage200.create_app(world.books)), sage_port) as sage,
    ):
        yield Addresses(amazon, sage)


@contextmanager
def _server(app: ASGIApp, port: int) -> Iterator[str]:
    config = uvicorn.Config(app, log_level="warning", access_log=False, lifespan="off", ws="none")
    server = uvicorn.Server(config)
    with socket.socket() as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listening.bind((HOST, port))
        except OSError:
            raise PortTaken(f"The sandbox cannot listen on {HOST}:{port}: the port is in use.") from None
        listening.listen()  # from here on connections queue, however long the server takes to start
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
        thread.start()
        try:
            yield f"http://{HOST}:{listening.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join(timeout=10)
