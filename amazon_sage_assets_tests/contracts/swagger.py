"""Amazon's API models (Swagger 2) as a judge of requests and answers. What a model does not name is a fault too."""

import json
import re
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import Any

MODELS = Path(__file__).resolve().parents[3] / "shared" / "contracts" / "spapi-models"
NAMES = ("reports_2021-06-30", "finances_2024-06-19", "transfers_2024-06-01", "sellers", "orders_2026-01-01")
KINDS: dict[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "boolean": (bool,),
    "integer": (int,),
    "number": (int, float),
}
USAGE_PLAN = re.compile(r"\|\s*([\d.]+)\s*\|\s*(\d+)\s*\|")


class Operation:
    """One operation of one model."""

    def __init__(self, model: Mapping[str, Any], content: Mapping[str, Any]) -> None:
        self._definitions, self._content = model["definitions"], content
        self.id: str = content["operationId"]

    @property
    def usage_plan(self) -> tuple[float, int]:
        rate, burst = USAGE_PLAN.findall(self._content["description"])[0]
        return float(rate), int(burst)

    def request_faults(self, query: Mapping[str, list[str]]) -> Iterator[str]:
        """What is wrong with a request's query."""
        known = {p["name"]: p for p in self._content.get("parameters", ()) if p["in"] == "query"}
        for name in query.keys() - known.keys():
            yield f"{self.id} has no parameter {name}"
        for name in known.keys() & query.keys():
            yield from _parameter_faults(known[name], query[name])
        for name, parameter in known.items():
            if parameter.get("required") and name not in query:
                yield f"{self.id} needs {name}"

    def body_faults(self, body: Any) -> Iterator[str]:
        """What is wrong with a request's body."""
        for parameter in self._content.get("parameters", ()):
            if parameter["in"] == "body":
                yield from self._faults(parameter["schema"], body, self.id)

    def answer_faults(self, status: int, body: Any) -> Iterator[str]:
        """What is wrong with an answer."""
        response = self._content["responses"].get(str(status))
        if response is None:
            yield f"{self.id} does not answer {status}"
        else:
            yield from self._faults(response["schema"], body, f"{self.id} {status}")

    def _resolved(self, schema: Mapping[str, Any]) -> Mapping[str, Any]:
        if "$ref" in schema:
            return self._resolved(self._definitions[schema["$ref"].removeprefix("#/definitions/")])
        if "allOf" in schema:
            whole: dict[str, Any] = {"type": "object", "properties": {}, "required": []}
            for part in map(self._resolved, schema["allOf"]):
                whole["properties"] |= part.get("properties", {})
                whole["required"] += part.get("required", [])
            return whole
        return schema

    def _faults(self, schema: Mapping[str, Any], value: Any, where: str) -> Iterator[str]:
        schema = self._resolved(schema)
        kind = schema.get("type", "object")
        if not isinstance(value, KINDS[kind]) or (isinstance(value, bool) and kind != "boolean"):
            yield f"{where} is {value!r}, not of type {kind}"
            return
        if isinstance(value, dict):
            properties = schema.get("properties", {})
            yield from (f"{where} lacks {name}" for name in schema.get("required", ()) if name not in value)
            for name, inner in value.items():
                if name in properties:
                    yield from self._faults(properties[name], inner, f"{where}.{name}")
                else:
                    yield f"{where} has a {name}, which the model does not know"
        elif isinstance(value, list):
            for number, inner in enumerate(value):
                yield from self._faults(schema["items"], inner, f"{where}[{number}]")
        else:
            yield from _value_faults(schema, value, where)


def _value_faults(schema: Mapping[str, Any], value: Any, where: str) -> Iterator[str]:
    if "enum" in schema and value not in schema["enum"]:
        yield f"{where} is {value!r}, not one of {schema['enum']}"
    if "pattern" in schema and not re.search(schema["pattern"], value):
        yield f"{where} is {value!r}, which does not fit {schema['pattern']}"
    if not schema.get("minimum", value) <= value <= schema.get("maximum", value):
        yield f"{where} is {value}, out of bounds"
    reader = {"date-time": datetime.fromisoformat, "date": date.fromisoformat}.get(schema.get("format", ""))
    if reader is not None:
        try:
            reader(value)
        except ValueError:
            yield f"{where} is {value!r}, not a {schema['format']}"


def _parameter_faults(parameter: Mapping[str, Any], written: list[str]) -> Iterator[str]:
    name = parameter["name"]
    if len(written) > 1:
        yield f"{name} is written {len(written)} times; several values are joined by commas"
    if parameter["type"] != "array":
        value = int(written[0]) if parameter["type"] == "integer" else written[0]
        yield from _value_faults(parameter, value, name)
        return
    values = written[0].split(",")
    if not parameter.get("minItems", 0) <= len(values) <= parameter.get("maxItems", len(values)):
        yield f"{name} has {len(values)} values"
    for value in values:
        yield from _value_faults(parameter["items"], value, name)


@cache
def _models() -> list[dict[str, Any]]:
    return [json.loads((MODELS / f"{name}.json").read_text(encoding="utf-8")) for name in NAMES]


def operations() -> Iterator[tuple[str, str, Operation]]:
    """Every operation of the models with its method and path."""
    for model in _models():
        for path, methods in model["paths"].items():
            for method, content in methods.items():
                if method != "parameters":
                    yield method.upper(), path, Operation(model, content)


def operation(method: str, path: str) -> Operation:
    """The operation that a request is for. Raises LookupError where Amazon has none."""
    for known_method, template, found in operations():
        pattern = re.sub(r"\{\w+\}", "[^/]+", template)
        if known_method == method and re.fullmatch(pattern, path):
            return found
    raise LookupError(f"Amazon has no {method} {path}")
