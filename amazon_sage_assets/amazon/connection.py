"""Where a seller's Seller Central is and what opens it."""

import ipaddress
from dataclasses import dataclass

import httpx
from pydantic import SecretStr

LOGIN_HOST = "api.amazon.com"
ENDPOINTS = {
    "eu": "https://sellingpartnerapi-eu.amazon.com",
    "na": "https://sellingpartnerapi-na.amazon.com",
    "fe": "https://sellingpartnerapi-fe.amazon.com",
}


@dataclass(frozen=True)
class Connection:
    """One seller's access. Addresses are https; http is for loopback only. `token_host` may leave the scheme out."""

    endpoint: str
    token_host: str
    marketplace_id: str
    region: str
    refresh_token: SecretStr
    client_id: str
    client_secret: SecretStr

    def __post_init__(self) -> None:
        secure_address(self.endpoint)
        secure_address(self.token_address)

    @property
    def token_address(self) -> str:
        if "://" in self.token_host:
            return self.token_host.rstrip("/")
        scheme = "http" if is_loopback(f"http://{self.token_host}") else "https"
        return f"{scheme}://{self.token_host}"

    @property
    def is_local(self) -> bool:
        return is_loopback(self.endpoint) and is_loopback(self.token_address)


def is_loopback(address: str) -> bool:
    host = httpx.URL(address).host
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def secure_address(address: str) -> None:
    """Raises ValueError where secrets would travel in the open."""
    url = httpx.URL(address)
    if not url.host or not (url.scheme == "https" or (url.scheme == "http" and is_loopback(address))):
        raise ValueError(f"{url.scheme}://{url.host} must be an https address: only this machine is asked over http")
