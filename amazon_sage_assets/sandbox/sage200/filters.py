"""The `$filter` language: text to a tree. Which fields exist is not known here."""

import re
from dataclasses import dataclass
from typing import Literal, NamedTuple

from amazon_sage_assets.sandbox.sage200.refusals import Refused

COMPARISONS = ("eq", "ne", "gt", "ge", "lt", "le")
FUNCTIONS = ("contains", "startswith", "endswith")
DEEPEST = 50
MOST_TERMS = 500

_TOKEN = re.compile(
    r"(?P<space>\s+)"
    r"|(?P<string>'(?:[^']|'')*')"
    r"|(?P<moment>\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d{1,7})?)?Z(?![\w.]))"
    r"|(?P<day>\d{4}-\d\d-\d\d(?![\w.:-]))"
    r"|(?P<number>-?\d{1,18}(?:\.\d{1,8})?(?![\w.:-]))"
    r"|(?P<name>[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)?)"
    r"|(?P<mark>[(),])"
)


@dataclass(frozen=True)
class Literal_:
    kind: Literal["string", "moment", "day", "number", "flag", "null"]
    text: str


@dataclass(frozen=True)
class Comparison:
    field: str
    operator: str
    value: Literal_


@dataclass(frozen=True)
class Call:
    function: str
    field: str
    value: Literal_


@dataclass(frozen=True)
class Not:
    inner: "Condition"


@dataclass(frozen=True)
class Several:
    """`and` or `or` over two or more conditions."""

    joined: Literal["and", "or"]
    parts: tuple["Condition", ...]


Condition = Comparison | Call | Not | Several


class _Token(NamedTuple):
    kind: str
    text: str
    at: int


def parse(text: str) -> Condition:
    """Raises Refused for anything that is not a filter."""
    reader = _Reader(_tokens(text))
    condition = reader.either(0)
    if reader.next.kind != "end":
        raise reader.fault()
    return condition


def _tokens(text: str) -> list[_Token]:
    found, at = [], 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            raise _malformed(text[at:], at)
        if match.lastgroup != "space":
            found.append(_Token(match.lastgroup or "", match.group(), at))
        at = match.end()
    return [*found, _Token("end", "", at)]


def _malformed(rest: str, at: int) -> Refused:
    return Refused(f"$filter is malformed at position {at}: '{rest[:40]}'.", "$filter")


class _Reader:
    """Recursive descent: `or` binds loosest, then `and`, then `not`, then a bracket, a function or a comparison."""

    def __init__(self, tokens: list[_Token]) -> None:
        self._tokens = tokens
        self._at = 0
        self._terms = 0

    @property
    def next(self) -> _Token:
        return self._tokens[self._at]

    def fault(self) -> Refused:
        return _malformed(self.next.text or "end of text", self.next.at)

    def _take(self, kind: str, *texts: str) -> str | None:
        """The next token if it is one of these."""
        token = self.next
        if token.kind != kind or (texts and token.text not in texts):
            return None
        self._at += 1
        return token.text

    def _need(self, kind: str, *texts: str) -> str:
        taken = self._take(kind, *texts)
        if taken is None:
            raise self.fault()
        return taken

    def either(self, depth: int) -> Condition:
        if depth > DEEPEST:
            raise Refused("$filter is nested too deeply.", "$filter")
        parts = [self._both(depth)]
        while self._take("name", "or"):
            parts.append(self._both(depth))
        return parts[0] if len(parts) == 1 else Several("or", tuple(parts))

    def _both(self, depth: int) -> Condition:
        parts = [self._one(depth)]
        while self._take("name", "and"):
            parts.append(self._one(depth))
        return parts[0] if len(parts) == 1 else Several("and", tuple(parts))

    def _one(self, depth: int) -> Condition:
        if self._take("name", "not"):
            if depth > DEEPEST:
                raise Refused("$filter is nested too deeply.", "$filter")
            return Not(self._one(depth + 1))
        if self._take("mark", "("):
            inner = self.either(depth + 1)
            self._need("mark", ")")
            return inner
        self._terms += 1
        if self._terms > MOST_TERMS:
            raise Refused(f"$filter has more than {MOST_TERMS} terms.", "$filter")
        name = self._need("name")
        if self._take("mark", "("):
            if name not in FUNCTIONS:
                raise Refused(f"$filter: '{name}' is not a function.", "$filter")
            field = self._need("name")
            self._need("mark", ",")
            value = self._literal()
            self._need("mark", ")")
            return Call(name, field, value)
        operator = self._need("name", *COMPARISONS)
        return Comparison(name, operator, self._literal())

    def _literal(self) -> Literal_:
        if (text := self._take("string")) is not None:
            return Literal_("string", text[1:-1].replace("''", "'"))
        for kind in ("moment", "day", "number"):
            if (text := self._take(kind)) is not None:
                return Literal_(kind, text)
        if text := self._take("name", "true", "false"):
            return Literal_("flag", text)
        self._need("name", "null")
        return Literal_("null", "null")
