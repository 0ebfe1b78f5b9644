"""Signing in to the simulated Sage, and naming the company."""

import threading
from typing import Any
from urllib.parse import parse_qs, urlsplit

from amazon_sage_assets.sandbox.sage200 import BASE
from amazon_sage_assets_tests.sandbox.sage_company import CLIENT, SageCompany

DENIED = {"Message": "Authorization has been denied for this request."}


def test_a_refresh_gives_a_new_pair_and_ends_the_old_refresh_token(sage: SageCompany) -> None:
    first = sage.token(refresh_token=sage.refresh_token).json()
    assert first["expires_in"] == 28800
    assert first["refresh_token"] != sage.refresh_token
    again = sage.token(refresh_token=sage.refresh_token)
    assert again.status_code == 400
    assert again.json()["error"] == "invalid_grant"


def test_a_spent_refresh_token_ends_all_that_came_after_it(sage: SageCompany) -> None:
    first = sage.token(refresh_token=sage.refresh_token).json()
    sage.token(refresh_token=sage.refresh_token)
    assert sage.token(refresh_token=first["refresh_token"]).json()["error"] == "invalid_grant"


def test_a_spent_refresh_token_may_leave_the_others_good(make_sage: Any) -> None:
    sage = make_sage(refresh_reuse_kills_family=False)
    first = sage.token(refresh_token=sage.refresh_token).json()
    assert sage.token(refresh_token=sage.refresh_token).status_code == 400
    assert sage.token(refresh_token=first["refresh_token"]).status_code == 200


def test_another_sign_in_is_another_family(sage: SageCompany) -> None:
    other = sage.books.issue_refresh_token("shop")
    sage.token(refresh_token=sage.refresh_token)
    sage.token(refresh_token=sage.refresh_token)
    assert sage.token(refresh_token=other).status_code == 200


def test_a_wrong_secret_and_an_unknown_grant_are_refused(sage: SageCompany) -> None:
    wrong = sage.token(**CLIENT | {"client_secret": "guessed"}, refresh_token=sage.refresh_token)
    assert (wrong.status_code, wrong.json()["error"]) == (401, "invalid_client")
    assert sage.token(grant_type="client_credentials").json()["error"] == "unsupported_grant_type"
    assert sage.token(refresh_token=sage.refresh_token).status_code == 200


def test_an_access_token_lasts_as_long_as_it_says(make_sage: Any) -> None:
    sage = make_sage(access_token_seconds=60)
    headers = sage.headers()
    sage.clock.later(seconds=59)
    assert sage.send("GET", f"{BASE}/sites", headers=headers).status_code == 200
    sage.clock.later(seconds=1)
    late = sage.send("GET", f"{BASE}/sites", headers=headers)
    assert (late.status_code, late.json()) == (401, DENIED)


def test_a_refresh_token_dies_after_ninety_days(sage: SageCompany) -> None:
    sage.clock.later(days=90)
    assert sage.token(refresh_token=sage.refresh_token).json()["error"] == "invalid_grant"


def test_without_a_good_bearer_nothing_is_told(sage: SageCompany) -> None:
    token = sage.headers()["Authorization"].removeprefix("Bearer ")
    for header in ({}, {"Authorization": token}, {"Authorization": f"Bearer{token}"}, {"Authorization": "Bearer x"}):
        answer = sage.send("GET", f"{BASE}/sites", headers=header)
        assert (answer.status_code, answer.json()) == (401, DENIED)


def test_the_sites_name_the_headers_that_all_else_needs(sage: SageCompany) -> None:
    headers = sage.headers()
    bearer = {"Authorization": headers["Authorization"]}
    [site] = sage.send("GET", f"{BASE}/sites", headers=bearer).json()
    assert (site["site_id"], str(site["company_id"])) == (headers["X-Site"], headers["X-Company"])
    assert sage.send("GET", f"{BASE}/banks", headers=bearer).status_code == 400
    for wrong in ({"X-Site": "nowhere"}, {"X-Company": "3"}):
        assert sage.send("GET", f"{BASE}/banks", headers={**headers, **wrong}).status_code == 404


def test_a_person_signs_in_by_a_code_that_works_once(sage: SageCompany) -> None:
    asked = {
        "response_type": "code",
        "client_id": "shop",
        "redirect_uri": "http://127.0.0.1:8400/back",
        "scope": "openid offline_access",
        "state": "s1",
    }
    answer = sage.send("GET", "/authorize", params=asked)
    back = parse_qs(urlsplit(answer.headers["location"]).query)
    assert (answer.status_code, back["state"]) == (302, ["s1"])
    form = {"grant_type": "authorization_code", "code": back["code"][0], "redirect_uri": asked["redirect_uri"]}
    assert sage.token(**{**form, "redirect_uri": "http://127.0.0.1:1/"}).json()["error"] == "invalid_grant"
    assert sage.token(**form).json()["refresh_token"]
    assert sage.token(**form).json()["error"] == "invalid_grant"


def test_without_offline_access_there_is_no_refresh_token(sage: SageCompany) -> None:
    asked = {"response_type": "code", "client_id": "shop", "redirect_uri": "http://localhost/", "scope": "openid"}
    location = sage.send("GET", "/authorize", params=asked).headers["location"]
    code = parse_qs(urlsplit(location).query)["code"][0]
    answer = sage.token(grant_type="authorization_code", code=code, redirect_uri="http://localhost/").json()
    assert "access_token" in answer
    assert "refresh_token" not in answer


def test_a_code_is_sent_to_this_machine_only(sage: SageCompany) -> None:
    asked = {"response_type": "code", "client_id": "shop", "redirect_uri": "https://elsewhere.example/"}
    assert sage.send("GET", "/authorize", params=asked).status_code == 400


def test_one_refresh_token_used_at_once_by_several_is_good_for_one(make_sage: Any) -> None:
    sage = make_sage(refresh_reuse_kills_family=False)
    codes: list[int] = []
    workers = [
        threading.Thread(target=lambda: codes.append(sage.token(refresh_token=sage.refresh_token).status_code))
        for _ in range(4)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert sorted(codes) == [200, 400, 400, 400]
    assert CLIENT["client_secret"].encode() not in sage.path.read_bytes()
