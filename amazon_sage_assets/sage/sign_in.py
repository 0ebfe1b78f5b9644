"""Signing in to Sage once: a person says yes in the browser, and the code that comes back is exchanged for tokens."""

from urllib.parse import parse_qs, urlencode, urlsplit

from amazon_sage_assets.sage.outcomes import SageError

AUDIENCE = "s200ukipd/sage200"
SCOPES = "openid profile email offline_access"  # without the last one no refresh token comes


def sign_in_address(authorize_address: str, client_id: str, redirect_address: str, state: str) -> str:
    """Where the person goes. `state` comes back with the answer and shows that it is the answer to this question."""
    asked = {
        "audience": AUDIENCE,
        "response_type": "code",
        "client_id": client_id,
        "redirect_uri": redirect_address,
        "scope": SCOPES,
        "state": state,
    }
    return f"{authorize_address}?{urlencode(asked)}"


def code_from(redirected_to: str, state: str) -> str:
    """The code in the address that the browser was sent to. Raises SageError."""
    said = parse_qs(urlsplit(redirected_to.strip()).query)
    if "error" in said:
        raise SageError(f"Sage said no: {said.get('error_description', said['error'])[0]}.")
    if said.get("state") != [state]:
        raise SageError("This address does not answer the sign-in that was just begun. Begin again.")
    if not said.get("code"):
        raise SageError("There is no code in this address. Copy the whole address the browser ended at.")
    return said["code"][0]
