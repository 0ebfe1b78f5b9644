"""The commands that run until they are stopped: the sandbox, and the UI beside it."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import httpx
import psutil
import pytest

from amazon_sage_assets.settings import SAMPLE_PROFILE

ROOT = Path(__file__).parents[2]
ADDRESS = re.compile(r"http://127\.0\.0\.1:(\d+)")
UI_STARTS_WITHIN = 120.0  # it takes 15 to 25 seconds where nothing else runs

Found = TypeVar("Found")


class Running:
    """A command of ours as a process, and what it has printed so far."""

    def __init__(self, process: psutil.Popen, log: Path) -> None:
        self.process, self.log = process, log
        self.children: list[psutil.Process] = []  # those that might outlive it

    @property
    def said(self) -> str:
        return self.log.read_text(encoding="utf-8", errors="replace")

    def until(self, look: Callable[[], Found | None], seconds: float) -> Found:
        """Look again and again until there is something to see; the command has to live meanwhile."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if found := look():
                return found
            assert self.process.poll() is None, f"ended with {self.process.poll()}:\n{self.said}"
            time.sleep(0.1)
        pytest.fail(f"nothing within {seconds} s:\n{self.said}")

    def sandbox_ports(self) -> list[int]:
        """The two ports that the sandbox says it has."""
        return self.until(self._ports, 60)

    def _ports(self) -> list[int] | None:
        ports = [int(port) for port in ADDRESS.findall(next(iter(self.said.splitlines()), ""))]
        return ports if len(ports) == 2 else None


@contextmanager
def running(folder: Path, *arguments: str) -> Iterator[Running]:
    """Start `amazon-sage` with the sample profile and a home of its own. Nothing of it outlives the block."""
    log = folder / "said.txt"
    started = [sys.executable, "-c", "from amazon_sage_assets.cli import app; app()", *arguments]
    environment = {
        **os.environ,
        "AMAZON_SAGE_HOME": str(folder / "home"),
        "AMAZON_SAGE_PROFILE": str(SAMPLE_PROFILE),
        "DAGSTER_HOME": str(ROOT),
        "DAGSTER_DISABLE_TELEMETRY": "yes",
    }
    with log.open("wb") as stream:
        process = psutil.Popen(
            started, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, stdout=stream, stderr=subprocess.STDOUT
        )
    command = Running(process, log)
    try:
        yield command
    finally:
        for left in [*family(process), *command.children, process]:
            if left.is_running():
                left.kill()
        process.wait(timeout=30)


def family(process: psutil.Process) -> list[psutil.Process]:
    try:
        return process.children(recursive=True)
    except psutil.NoSuchProcess:
        return []


def free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return int(listening.getsockname()[1])


def listens(port: int) -> bool:
    with socket.socket() as calling:
        calling.settimeout(5)
        return calling.connect_ex(("127.0.0.1", port)) == 0


def alive(processes: list[psutil.Process]) -> list[str]:
    _, left = psutil.wait_procs(processes, timeout=15)
    return [" ".join(process.cmdline()) for process in left]


def test_the_sandbox_runs_until_it_is_stopped_and_then_holds_no_port(tmp_path: Path) -> None:
    with running(tmp_path, "sandbox", "--ports", "0", "0") as command:
        ports = command.sandbox_ports()
        amazon, sage = (httpx.Client(base_url=f"http://127.0.0.1:{port}") for port in ports)
        with amazon, sage:
            assert "requests" in amazon.get("/_sandbox/requests").json()
            assert "trial_balance" in sage.get("/_sandbox/ledger").json()
        command.until(lambda: "export SAGE_REFRESH_TOKEN=" in command.said, 10)
        command.process.send_signal(signal.SIGTERM)
        assert command.process.wait(timeout=30) == 0
        assert [port for port in ports if listens(port)] == []
        assert "Traceback" not in command.said


def test_dev_runs_the_ui_beside_the_sandbox_and_one_signal_stops_both(tmp_path: Path) -> None:
    port = free_port()
    with running(tmp_path, "dev", "--port", str(port), "--sandbox-ports", "0", "0") as command:
        ports = command.sandbox_ports()
        command.until(lambda: listens(port), UI_STARTS_WITHIN)
        question = {"query": "{ repositoriesOrError { ... on RepositoryConnection { nodes { name } } } }"}
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60) as ui:
            found = ui.post("/graphql", json=question).json()["data"]["repositoriesOrError"]
        assert len(found["nodes"]) == 1
        assert all(map(listens, ports))
        command.children = children = family(command.process)
        assert len(children) > 2  # the webserver, the daemon, the code location
        command.process.send_signal(signal.SIGINT)
        code = command.process.wait(timeout=180)  # a run that has begun ends first
        assert alive(children) == []
        assert [p for p in (port, *ports) if listens(p)] == []
        assert code == 0, command.said
        assert "Traceback" not in command.said
