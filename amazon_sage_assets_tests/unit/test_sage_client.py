"""The Sage client: exact money, one request at a time, a POST sent once, and tokens that nobody loses or sees."""

import logging
import re
import signal
import stat
import subprocess
import sys
import traceback
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest
import stamina
from pydantic import SecretStr
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from amazon_sage_assets.sage.client import Connection, SageClient
from amazon_sage_assets.sage.documents import document
from amazon_sage_assets.sage.outcomes import (
    SageError,
    SageNotSent,
    SageRefused,
    SageSignInNeeded,
    SageUnavailable,
    SageUncertain,
)
from amazon_sage_assets.sandbox.faults import Fault
from amazon_sage_assets.sandbox.sage200 import Options
from amazon_sage_assets_tests.posting_world import PostingWorld, posting_world
from amazon_sage_assets_tests.served import serve

PAYMENT = "/bank_payment"
TOKENS = "sage_tokens.json"
CONNECT = """
import sys
from pathlib import Path
from pydantic import SecretStr
from amazon_sage_assets.sage.client import Connection, SageClient
from amazon_sage_assets.sage.tokens import Credentials, TokenStore

address, token_address, client_id, secret, refresh, state = sys.argv[1:7]
credentials = Credentials(client_id, SecretStr(secret), SecretStr(refresh))
client = SageClient(Connection(address, token_address, credentials, Path(state)))
"""
KILLED_AFTER_STORING = """
import os, signal
write = TokenStore._write
def written(self, tokens):
    write(self, tokens)
    os.kill(os.getpid(), signal.SIGKILL)
TokenStore._write = written
client.get("/banks")
"""
ASK_OFTEN = """
print("ready", flush=True)
sys.stdin.readline()
for _ in range(5):
    client.get("/banks")
"""


@pytest.fixture(autouse=True)
def fast_retries() -> Iterator[None]:
    """Reads are tried again without waiting."""
    with stamina.set_testing(True, attempts=3, cap=True):
        yield


@pytest.fixture
def world(tmp_path: Path) -> Iterator[PostingWorld]:
    with posting_world(tmp_path) as world:
        yield world


@pytest.fixture
def make_world(tmp_path: Path) -> Iterator[Callable[..., PostingWorld]]:
    """A world whose Sage behaves by these options."""
    with ExitStack() as stack:

        def make(**options: Any) -> PostingWorld:
            folder = tmp_path / f"world_{len(list(tmp_path.iterdir()))}"
            return stack.enter_context(posting_world(folder, Options(**{"latency_seconds": 0, **options})))

        yield make


@pytest.fixture
def client(world: PostingWorld) -> Iterator[SageClient]:
    with SageClient(world.connection()) as client:
        yield client


def payment(world: PostingWorld, *amounts: str, reference: str = "R-1", code: str = "5100") -> dict[str, Any]:
    """The body of a bank payment out of the wallet."""
    banks = {row["code"]: row["id"] for row in _rows(world, "banks")}
    tax = {row["code"]: row["id"] for row in _rows(world, "tax_codes")}
    items = [
        {"code": code, "gross_value": Decimal(a), "goods_value": Decimal(a), "tax_value": Decimal("0.00"),
         "tax_code_id": tax[2]}
        for a in amounts or ("10.00",)
    ]  # fmt: skip
    content = {"transaction_date": date(2026, 3, 5), "reference": reference, "bank_id": banks["AMZGBP"]}
    return document("bank_payment", {**content, "nominal_analysis_items": items}).body()


def _rows(world: PostingWorld, table: str) -> list[dict[str, Any]]:
    with world.books.store.reading() as db:
        return [dict(row) for row in db.execute(f"select * from {table}")]


class Scripted:
    """A Sage that gives these answers in turn, the last one for ever; its sign-in always works."""

    def __init__(self, *answers: Response) -> None:
        self.answers = list(answers)
        self.requests: list[tuple[str, str]] = []
        self.bodies: list[bytes] = []
        self.app = Starlette(
            routes=[
                Route("/oauth/token", self.token, methods=["POST"]),
                Route("/sites", self.sites),
                Route("/{path:path}", self.answer, methods=["GET", "POST"]),
            ]
        )

    async def token(self, _: Request) -> Response:
        return JSONResponse({"access_token": "access", "refresh_token": "refresh", "expires_in": 28800})

    async def sites(self, _: Request) -> Response:
        return JSONResponse([{"company_id": 2, "company_name": "Calm Kettle Ltd", "site_id": "s"}])

    async def answer(self, request: Request) -> Response:
        self.requests.append((request.method, request.url.path))
        self.bodies.append(await request.body())
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


@pytest.fixture
def scripted(world: PostingWorld, tmp_path: Path) -> Iterator[Callable[..., tuple[SageClient, Scripted]]]:
    """A client of a Sage with these answers."""
    with ExitStack() as stack:

        def make(*answers: Response, **changes: Any) -> tuple[SageClient, Scripted]:
            sage = Scripted(*answers)
            address = stack.enter_context(serve(sage.app))
            state = tmp_path / f"state_{len(list(tmp_path.iterdir()))}"
            connection = world.connection(state, address=address, token_address=f"{address}/oauth/token", **changes)
            return stack.enter_context(SageClient(connection)), sage

        yield make


# Money


@pytest.mark.parametrize("amount", ["0.30", "0.07", "1.10", "9999999999.99", "100.00"])
def test_money_is_exact_on_the_way_there_and_back(world: PostingWorld, client: SageClient, amount: str) -> None:
    parts = [str(Decimal(amount) - Decimal("0.02")), "0.02"]
    client.post(PAYMENT, payment(world, *parts))
    [entry] = client.read_all("/bank_posted_transactions")
    assert entry["cheque_value"] == Decimal(amount)
    assert isinstance(entry["cheque_value"], Decimal)
    assert world.books.bank_balances()["AMZGBP"] == -Decimal(amount)


def test_money_travels_as_numbers_with_their_own_digits(
    world: PostingWorld, scripted: Callable[..., tuple[SageClient, Scripted]]
) -> None:
    client, sage = scripted(PlainTextResponse('{"urn": 1, "value": 123456789012345.10}', media_type="application/json"))
    answer = client.post(PAYMENT, payment(world, "0.10", "0.20", "4503599627370497.10"[3:]))
    assert re.findall(rb'"gross_value": ([^,}]+)', sage.bodies[0]) == [b"0.10", b"0.20", b"3599627370497.10"]
    assert b'"transaction_date": "2026-03-05T00:00:00Z"' in sage.bodies[0]
    assert str(answer["value"]) == "123456789012345.10"


# Answers


@pytest.mark.parametrize("status", [200, 201])
@pytest.mark.parametrize("as_text", [False, True])
def test_both_statuses_and_both_kinds_of_urn_are_success(
    make_world: Callable[..., PostingWorld], status: int, as_text: bool
) -> None:
    world = make_world(post_status=status, urn_as_text=as_text)
    with SageClient(world.connection()) as client:
        assert str(client.post(PAYMENT, payment(world))["urn"]) == "1327"


def test_an_empty_success_is_an_answer_without_a_number(
    world: PostingWorld, scripted: Callable[..., tuple[SageClient, Scripted]]
) -> None:
    client, _ = scripted(Response(status_code=200))
    assert client.post(PAYMENT, payment(world)) is None


@pytest.mark.parametrize("shape", ["Message", "message_list", "text", "model_state", "html"])
def test_a_refusal_is_read_in_every_shape(make_world: Callable[..., PostingWorld], shape: str) -> None:
    world = make_world(error_shape=shape)
    with SageClient(world.connection()) as client, pytest.raises(SageRefused) as refused:
        client.post(PAYMENT, payment(world, code="9999"))
    words = str(refused.value)
    assert ("9999" in words) if shape != "html" else words
    assert "<" not in words
    assert world.books.documents() == []


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"Message": "No.", "ExceptionMessage": "SageNullFieldException: tax id"}, "No.; SageNullFieldException: tax"),
        ({"message": "No.", "ModelState": {"bank_id": ["is unknown", "is required"]}}, "bank_id: is unknown; is requ"),
        ([{"message": "One."}, {"Message": "Two."}], "One.; Two."),
        ("Just words.", "Just words."),
        ({"error": "invalid", "error_description": "It is invalid."}, "It is invalid."),
        ({}, "HTTP 400 without a message"),
    ],
)
def test_the_words_of_a_refusal_are_found(
    world: PostingWorld, scripted: Callable[..., tuple[SageClient, Scripted]], body: Any, words: str
) -> None:
    client, _ = scripted(JSONResponse(body, 400))
    with pytest.raises(SageRefused, match=re.escape(words)):
        client.post(PAYMENT, payment(world))


# Sent once, read often


@pytest.mark.parametrize(
    "trouble",
    [
        Response(status_code=503),
        HTMLResponse("<h1>Bad Gateway</h1>", 502),
        JSONResponse({"Message": "busy"}, 429),
        PlainTextResponse("{", 200),
        Response(status_code=307, headers={"location": "/elsewhere"}),
    ],
)
def test_a_read_is_tried_again_and_a_post_never(
    world: PostingWorld, scripted: Callable[..., tuple[SageClient, Scripted]], trouble: Response
) -> None:
    client, sage = scripted(trouble, trouble, JSONResponse([]))
    assert client.get("/banks") == []
    assert len(sage.requests) == 3
    client, sage = scripted(trouble, JSONResponse({"urn": 1}))
    with pytest.raises(SageUncertain):
        client.post(PAYMENT, payment(world))
    assert sage.requests == [("POST", PAYMENT)]


def test_a_refused_read_is_not_tried_again(scripted: Callable[..., tuple[SageClient, Scripted]]) -> None:
    client, sage = scripted(JSONResponse({"Message": "No such field."}, 400))
    with pytest.raises(SageRefused, match="No such field"):
        client.get("/banks")
    assert len(sage.requests) == 1


def test_a_read_that_never_works_is_unavailable(scripted: Callable[..., tuple[SageClient, Scripted]]) -> None:
    client, sage = scripted(Response(status_code=503))
    with pytest.raises(SageUnavailable, match="/banks"):
        client.get("/banks")
    assert len(sage.requests) == 3


@pytest.mark.parametrize("kind", ["drop_before", "drop_after", "truncate"])
def test_a_broken_answer_leaves_a_post_uncertain_and_sends_it_once(world: PostingWorld, kind: Any) -> None:
    with SageClient(world.connection()) as client:
        body = payment(world)
        client.get("/banks")
        world.strike(Fault(kind, path=PAYMENT))
        with pytest.raises(SageUncertain):
            client.post(PAYMENT, body)
    assert world.watch.seen[f"POST {PAYMENT}"] == 1
    assert len(world.books.documents()) == int(kind != "drop_before")


def test_a_server_that_does_not_answer_in_time_leaves_a_post_uncertain(world: PostingWorld) -> None:
    body = payment(world)
    with SageClient(world.connection(read_seconds=0.3)) as client:
        client.get("/banks")
        world.strike(Fault("slow", path=PAYMENT, seconds=1.0))
        with pytest.raises(SageUncertain, match="ReadTimeout"):
            client.post(PAYMENT, body)
    assert world.watch.seen[f"POST {PAYMENT}"] == 1


def test_a_server_that_is_gone_was_sent_nothing(world: PostingWorld, tmp_path: Path) -> None:
    connection = world.connection(tmp_path / "elsewhere", address="http://127.0.0.1:1/v1")
    body = payment(world)
    with SageClient(connection) as client:
        client._site = {"X-Site": "s", "X-Company": "2"}
        with pytest.raises(SageNotSent, match="cannot be reached"):
            client.post(PAYMENT, body)


def test_pages_neither_skip_nor_double_rows_that_come_meanwhile(
    world: PostingWorld, client: SageClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("amazon_sage_assets.sage.client.PAGE", 2)
    for number in range(5):
        world.books.enter_by_hand("bank_payment", _plain(payment(world, reference=f"R-{number}")))
    seen = []
    for page in client.pages("/bank_posted_transactions"):
        seen += [row["reference"] for row in page]
        if len(seen) == 2:
            world.books.enter_by_hand("bank_payment", _plain(payment(world, reference="R-5")))
    assert seen == [f"R-{number}" for number in range(6)]


def _plain(body: dict[str, Any]) -> dict[str, Any]:
    return {**body, "nominal_analysis_items": [dict(item) for item in body["nominal_analysis_items"]]}


# Companies and addresses


def test_the_company_is_picked_by_its_name(scripted: Callable[..., tuple[SageClient, Scripted]]) -> None:
    seen: list[httpx.Headers] = []
    client, sage = scripted(JSONResponse([]), company="Second Ltd")

    async def two(_: Request) -> Response:
        names = ("First Ltd", "Second Ltd")
        return JSONResponse([{"company_id": n, "company_name": c, "site_id": f"s{n}"} for n, c in enumerate(names)])

    sage.app.router.routes.insert(0, Route("/sites", two))
    client._watch = lambda request, _: seen.append(request.headers)
    client.get("/banks")
    assert (seen[-1]["X-Site"], seen[-1]["X-Company"]) == ("s1", "1")
    client, sage = scripted(JSONResponse([]), company="Third Ltd")
    sage.app.router.routes.insert(0, Route("/sites", two))
    with pytest.raises(SageRefused, match=r"0 companies.*'Third Ltd'.*First Ltd, Second Ltd"):
        client.get("/banks")
    client, sage = scripted(JSONResponse([]))
    sage.app.router.routes.insert(0, Route("/sites", two))
    with pytest.raises(SageRefused, match="2 companies"):
        client.get("/banks")


@pytest.mark.parametrize("field", ["address", "token_address"])
def test_plain_http_leaves_this_machine_never(world: PostingWorld, field: str) -> None:
    with pytest.raises(SageError, match="is not https"):
        SageClient(replace(world.connection(), **{field: "http://sage.example/v1"}))
    SageClient(replace(world.connection(), **{field: "https://sage.example/v1"})).close()


# One request at a time


def test_two_threads_have_one_request_in_flight(make_world: Callable[..., PostingWorld]) -> None:
    world = make_world(latency_seconds=0.02, one_at_a_time=False)
    with SageClient(world.connection()) as client:
        client.get("/banks")
        with ThreadPoolExecutor(4) as threads:
            list(threads.map(lambda _: client.get("/banks"), range(12)))
    assert world.watch.seen["GET /banks"] == 13
    assert world.watch.most == 1


def test_two_processes_have_one_request_in_flight(make_world: Callable[..., PostingWorld]) -> None:
    world = make_world(latency_seconds=0.02, one_at_a_time=False)
    processes = [started(world.connection(), ASK_OFTEN) for _ in range(2)]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        process.communicate("go\n", timeout=60)
    assert [process.returncode for process in processes] == [0, 0]
    assert world.watch.seen["GET /banks"] == 10
    assert world.watch.most == 1


# Tokens


def started(connection: Connection, script: str) -> subprocess.Popen[str]:
    credentials = connection.credentials
    arguments = (
        connection.address,
        connection.token_address,
        credentials.client_id,
        credentials.client_secret.get_secret_value(),
        credentials.refresh_token.get_secret_value(),
        str(connection.state),
    )
    return subprocess.Popen(
        [sys.executable, "-c", CONNECT + script, *arguments],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def refreshes(world: PostingWorld) -> int:
    return world.watch.seen["POST /oauth/token"]


def test_tokens_are_kept_where_only_their_owner_reads(world: PostingWorld, client: SageClient) -> None:
    client.get("/banks")
    state = world.company.environment.connections
    assert stat.S_IMODE((state / TOKENS).stat().st_mode) == 0o600
    assert stat.S_IMODE(state.stat().st_mode) == 0o700
    assert world.refresh_token not in (state / TOKENS).read_text()
    assert not [path for path in state.iterdir() if path.name.startswith(".")]


def test_tokens_are_used_again_by_the_next_process(world: PostingWorld) -> None:
    for _ in range(2):
        with SageClient(world.connection()) as client:
            client.get("/banks")
    assert refreshes(world) == 1


def test_a_refused_token_is_refreshed_once_and_the_request_goes_on(world: PostingWorld, client: SageClient) -> None:
    body = payment(world)
    client.get("/banks")
    world.books.expire_access_tokens()
    assert client.post(PAYMENT, body)["urn"] == 1327
    assert refreshes(world) == 2
    assert world.watch.seen[f"POST {PAYMENT}"] == 2  # the first was refused at the door
    assert len(world.books.documents()) == 1


def test_a_token_that_is_refused_twice_means_that_nothing_was_sent(
    world: PostingWorld, scripted: Callable[..., tuple[SageClient, Scripted]]
) -> None:
    client, sage = scripted(JSONResponse({"Message": "Authorization has been denied for this request."}, 401))
    with pytest.raises(SageNotSent, match="does not let us in: Authorization has been denied"):
        client.post(PAYMENT, payment(world))
    assert len(sage.requests) == 2


def test_a_token_is_refreshed_before_it_ends(make_world: Callable[..., PostingWorld]) -> None:
    world = make_world(access_token_seconds=60)  # less than the spare time, so it is never good enough
    with SageClient(world.connection()) as client:
        client.get("/banks")
    assert refreshes(world) >= 2


def test_a_new_token_is_on_the_disk_before_anybody_uses_it(world: PostingWorld) -> None:
    process = started(world.connection(), KILLED_AFTER_STORING)
    process.communicate(timeout=60)
    assert process.returncode == -signal.SIGKILL
    assert world.watch.seen == {"POST /oauth/token": 1}  # nothing was asked with it yet
    with SageClient(world.connection()) as client:
        assert client.get("/banks")
    assert refreshes(world) == 1


def test_two_processes_that_need_a_token_at_once_use_one_refresh(world: PostingWorld) -> None:
    processes = [started(world.connection(), ASK_OFTEN) for _ in range(2)]
    for process in processes:
        assert process.stdout is not None
        process.stdout.readline()
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    outs = [process.communicate(timeout=60) for process in processes]
    assert [process.returncode for process in processes] == [0, 0], outs
    assert refreshes(world) == 1


def test_two_threads_whose_token_is_refused_at_once_use_one_refresh(world: PostingWorld, client: SageClient) -> None:
    client.get("/banks")
    world.books.expire_access_tokens()
    with ThreadPoolExecutor(2) as threads:
        list(threads.map(lambda _: client.get("/banks"), range(2)))
    assert refreshes(world) == 2


def test_a_dead_refresh_token_says_who_must_do_what(world: PostingWorld, tmp_path: Path) -> None:
    with SageClient(world.connection()) as client:
        client.get("/banks")
    with (
        SageClient(world.connection(tmp_path / "a restored backup")) as other,
        pytest.raises(SageSignInNeeded, match="used before.*[Ss]ign"),
    ):
        other.get("/banks")


def test_without_any_token_a_person_is_asked_to_sign_in(world: PostingWorld, tmp_path: Path) -> None:
    connection = world.connection(tmp_path / "new")
    connection = replace(connection, credentials=replace(connection.credentials, refresh_token=SecretStr("")))
    with SageClient(connection) as client, pytest.raises(SageSignInNeeded, match="[Ss]ign"):
        client.get("/banks")


def test_a_new_sign_in_wins_over_what_is_kept(world: PostingWorld) -> None:
    with SageClient(world.connection()) as client:
        client.get("/banks")
    with world.books.store.writing() as db:
        db.execute("update tokens set state = 'dead'")
    world.refresh_token = world.books.issue_refresh_token("tests")
    with SageClient(world.connection()) as client:
        assert client.get("/banks")


def test_a_sign_in_server_in_trouble_means_that_nothing_was_sent(world: PostingWorld, client: SageClient) -> None:
    body = payment(world)
    client.get("/banks")
    world.books.expire_access_tokens()
    world.strike(Fault("status", path="/oauth/token"))
    with pytest.raises(SageNotSent, match="sign-in server answered HTTP 503"):
        client.post(PAYMENT, body)
    world.strike()
    assert client.post(PAYMENT, body)["urn"] == 1327


def test_tokens_and_secrets_are_never_shown(
    world: PostingWorld, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    caplog.set_level(logging.DEBUG)
    shown: list[str] = []
    used: set[str] = set()

    def remember(request: httpx.Request, _: httpx.Response) -> None:
        used.add(request.headers["Authorization"].removeprefix("Bearer "))

    connection = world.connection()
    body = payment(world)
    with SageClient(connection, remember) as client:
        client.get("/banks")
        world.books.expire_access_tokens()
        client.post(PAYMENT, body)
        shown += [repr(client._tokens._held), repr(client._tokens.__dict__), repr(connection), repr(vars(client))]
        for fault in (Fault("status", status=401), Fault("status", status=503), Fault("drop_after")):
            world.strike(fault)
            shown.append(failing(client.get, "/banks"))
            shown.append(failing(client.post, PAYMENT, body))
    world.strike()
    with SageClient(world.connection(tmp_path / "other")) as other:
        shown.append(failing(other.get, "/banks"))
    used |= set(re.findall(r'"(?:access|refresh)_token": "([^"]+)"', (connection.state / TOKENS).read_text()))
    used |= {world.refresh_token, connection.credentials.client_secret.get_secret_value()}
    assert len(used) >= 5
    everything = "\n".join([caplog.text, *shown])
    assert "/banks" in everything
    assert not [secret for secret in used if secret in everything]


def failing(work: Callable[..., Any], *arguments: Any) -> str:
    """The whole traceback of something that fails."""
    try:
        work(*arguments)
    except SageError as error:
        return "".join(traceback.format_exception(error)) + repr(error)
    raise AssertionError("it did not fail")


# Limits of fields

LINE = {"code": "5100", "gross_value": Decimal("1.00")}
BODIES: dict[str, dict[str, Any]] = {
    "bank_payment": {"bank_id": 1, "nominal_analysis_items": [LINE]},
    "bank_receipt": {"bank_id": 1, "nominal_analysis_items": [LINE]},
    "bank_transfer": {"bank_from_id": 1, "bank_to_id": 2, "payment_value": Decimal(1)},
    "sales_receipt": {"customer_id": 1, "bank_id": 1, "cheque_value": Decimal(1)},
    "sales_payment": {"customer_id": 1, "bank_id": 1, "cheque_value": Decimal(1)},
}
LIMITS = [
    *((kind, field, 20) for kind in BODIES for field in ("reference", "second_reference")),
    *((kind, "narrative", 6000) for kind in ("bank_payment", "bank_receipt", "bank_transfer")),
    *(
        (kind, f"nominal_analysis_items.{field}", size)
        for kind in ("bank_payment", "bank_receipt")
        for field, size in (("code", 8), ("cost_centre", 3), ("department", 3), ("narrative", 6000))
    ),
]


def filled(kind: str, field: str, value: Any) -> dict[str, Any]:
    content = {"transaction_date": date(2026, 3, 5), "reference": "R", **BODIES[kind]}
    *above, name = field.split(".")
    if above:
        return {**content, above[0]: [{**LINE, name: value}]}
    return {**content, name: value}


@pytest.mark.parametrize(("kind", "field", "size"), LIMITS)
def test_a_text_fits_up_to_its_limit_and_no_further(kind: str, field: str, size: int) -> None:
    assert document(kind, filled(kind, field, "x" * size))
    with pytest.raises(SageRefused, match=rf"was not sent.*{field.rsplit('.', maxsplit=1)[-1]}: .*at most {size}"):
        document(kind, filled(kind, field, "x" * (size + 1)))


@pytest.mark.parametrize("amount", ["0.00", "-1.00", "1.005", "NaN", "Infinity", "12345678901234.00"])
def test_an_amount_that_sage_cannot_keep_is_refused(amount: str) -> None:
    for kind, field in (("bank_transfer", "payment_value"), ("bank_payment", "nominal_analysis_items.gross_value")):
        with pytest.raises(SageRefused, match="was not sent"):
            document(kind, filled(kind, field, Decimal(amount)))


@pytest.mark.parametrize(("kind", "field"), [("bank_payment", "reference"), ("bank_payment", "nominal_journal_items")])
def test_what_is_missing_or_unknown_is_refused(kind: str, field: str) -> None:
    with pytest.raises(SageRefused, match=field):
        document(kind, filled(kind, field, ""))


def test_a_sandbox_that_cuts_is_never_sent_what_it_would_cut(make_world: Callable[..., PostingWorld]) -> None:
    world = make_world(over_length="cut")
    with SageClient(world.connection()) as client, pytest.raises(SageRefused):
        client.post(PAYMENT, payment(world, reference="x" * 21))
    assert world.books.documents() == []
