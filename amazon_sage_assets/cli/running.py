"""Commands that run things: the demo, the sandbox, the development servers, the doctor."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, date, datetime
from pathlib import Path
from secrets import token_urlsafe
from typing import Annotated

import psutil
import typer

from amazon_sage_assets import doctor as examination
from amazon_sage_assets.cli.output import JsonFlag, app, out, print_json, speaking_plainly
from amazon_sage_assets.company import Company
from amazon_sage_assets.connections import sage_client
from amazon_sage_assets.sage.sign_in import code_from, sign_in_address
from amazon_sage_assets.sandbox.sage200 import Options
from amazon_sage_assets.sandbox.servers import AMAZON_PORT, SAGE_PORT, Addresses, serving
from amazon_sage_assets.sandbox.world import World, open_world
from amazon_sage_assets.settings import SAMPLE_PROFILE, Environment, Secrets

PORTS_HELP = "Where Seller Central and Sage 200 listen; 0 takes a free port."
RUN_MAY_FINISH = 60.0  # seconds
_MARKS = {"ok": "[green]ok[/]     ", "warning": "[yellow]warning[/]", "problem": "[red]problem[/]"}


@app.command()
def doctor(as_json: JsonFlag = False) -> None:
    """Look at the profile, the credentials, and whether Sage has every code that the rules name.

    Exit code 1: at least one problem.
    """
    with speaking_plainly():
        findings = list(examination.examine(Company.load(), datetime.now(UTC)))
    if as_json:
        print_json([vars(finding) for finding in findings])
    else:
        for finding in findings:
            out.print(f"{_MARKS[finding.level]}  {finding.area}: " + finding.says.replace("[", r"\["))
    if any(finding.level == "problem" for finding in findings):
        raise typer.Exit(1)


@app.command(name="sign-in")
def sign_in() -> None:
    """Sign in to Sage 200 once, in the browser. The tokens are kept in a file that only you can read."""
    with speaking_plainly():
        company, secrets = Company.load(), Secrets()
        sage, state = company.profile.sage, token_urlsafe(16)
        with sage_client(company, secrets) as client:
            out.print("Open this address, sign in, and copy the address the browser ends at (the page may be empty):\n")
            address = sign_in_address(sage.authorize_address, secrets.sage_client_id, sage.redirect_address, state)
            out.print(address, markup=False, soft_wrap=True)
            client.sign_in(code_from(typer.prompt("\nThe address it ended at"), state), sage.redirect_address)
    out.print("Signed in. `amazon-sage doctor` looks at everything else.")


@app.command()
def sandbox(
    scale: Annotated[int, typer.Option(help="How many times the sample seller's orders; counts when it is made.")] = 1,
    ports: Annotated[tuple[int, int], typer.Option(help=PORTS_HELP)] = (AMAZON_PORT, SAGE_PORT),
) -> None:
    """Run the simulated Seller Central and Sage 200 on this machine until it is stopped."""
    with speaking_plainly(), _sandbox(Environment(), scale, ports) as (world, addresses):
        out.print(f"Seller Central {addresses.amazon}   Sage 200 {addresses.sage}   (until Ctrl-C)")
        out.print("Connect a shell to it:")
        for name, value in _connected(world, addresses).items():
            out.print(f"  export {name}={value}", markup=False, soft_wrap=True)
        _until_stopped()


@app.command()
def dev(
    port: Annotated[int, typer.Option(help="Where the Dagster UI listens.")] = 3000,
    sandbox_ports: Annotated[tuple[int, int], typer.Option(help=PORTS_HELP)] = (AMAZON_PORT, SAGE_PORT),
) -> None:
    """The Dagster UI on this machine; with the sample profile, the sandbox beside it. Ctrl-C stops both."""
    environment = Environment()
    home = environment.home
    home.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "dagster", "dev", "-w", "workspace.yaml", "-h", "127.0.0.1", "-p", str(port)]
    with speaking_plainly():
        if environment.profile_path == SAMPLE_PROFILE:
            with _sandbox(environment, ports=sandbox_ports) as (world, addresses):
                out.print(f"Sandbox: Seller Central {addresses.amazon}, Sage 200 {addresses.sage}")
                code = _run(command, _connected(world, addresses))
        else:
            code = _run(command, {})
    raise typer.Exit(code)


@app.command()
def demo(
    home: Annotated[Path | None, typer.Option(help="Where the demo keeps its state, else AMAZON_SAGE_HOME.")] = None,
    latency: Annotated[float, typer.Option(help="Seconds that the simulated Sage takes to answer.", min=0)] = 0.05,
) -> None:
    """Sandbox, Dagster, Sage and the published file: a whole close of the sample seller's two months."""
    from amazon_sage_assets.demo import run_demo  # noqa: PLC0415 - Dagster takes seconds to load

    with speaking_plainly():
        environment = Environment(home=home or Environment().home, profile=SAMPLE_PROFILE)
        with _sandbox(environment, ports=(0, 0), latency=latency) as (world, addresses):
            os.environ.update(_connected(world, addresses))
            os.environ["AMAZON_SAGE_HOME"] = str(environment.home)
            os.environ["AMAZON_SAGE_PROFILE"] = str(SAMPLE_PROFILE)
            agrees = run_demo(world)
    raise typer.Exit(0 if agrees else 1)


@contextmanager
def _sandbox(
    environment: Environment,
    scale: int = 1,
    ports: tuple[int, int] = (AMAZON_PORT, SAGE_PORT),
    latency: float = Options.latency_seconds,
) -> Iterator[tuple[World, Addresses]]:
    behaviour = Options(latency_seconds=latency)
    today = date.today()  # noqa: DTZ011 - the edge
    world = open_world(environment.home / "sandbox", today, scale=scale, options=behaviour)
    try:
        with serving(world, *ports) as addresses:
            yield world, addresses
    finally:
        world.close()


def _connected(world: World, addresses: Addresses) -> dict[str, str]:
    return {**world.secrets, **addresses.environment}


def _until_stopped() -> None:
    stopped = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopped.set())
    stopped.wait()


def _run(command: list[str], variables: Mapping[str, str]) -> int:
    """Run a child until it ends or we are told to stop, and then stop it and wait for it."""
    child = subprocess.Popen(command, env={**os.environ, **variables}, start_new_session=True)  # noqa: S603 - our own

    def stop(*_: object) -> None:
        child.send_signal(signal.SIGINT)

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)
    code = child.wait()
    _end_rest(child.pid)
    return code


def _end_rest(group: int) -> None:
    """End what Dagster leaves behind: its code servers may wait for a heartbeat. One with a run may finish it first."""
    end = time.monotonic() + RUN_MAY_FINISH
    while rest := _members(group):
        ours = {process.pid for process in rest}
        for process in rest:
            with suppress(psutil.NoSuchProcess):
                if time.monotonic() > end:
                    process.kill()
                elif process.ppid() not in ours and not process.children():  # a run is a code server's child
                    process.terminate()
        psutil.wait_procs(rest, timeout=1)


def _members(group: int) -> list[psutil.Process]:
    found = []
    for process in psutil.process_iter():
        with suppress(ProcessLookupError, psutil.NoSuchProcess):
            if os.getpgid(process.pid) == group and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
    return found
