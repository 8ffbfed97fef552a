"""`fromJSON` and `fromTOML`."""

from __future__ import annotations

from aionix.builtins.json_text import parse_json
from aionix.builtins.registry import PlainStr, builtin
from aionix.builtins.toml_text import parse_toml
from aionix.errors import NixError
from aionix.values.thunk import Value


@builtin("fromJSON")
def from_json(text: PlainStr) -> Value:
    """The value that the JSON document `text` means."""
    try:
        return parse_json(text)
    except NixError as error:
        error.add_frame("while decoding a JSON string")
        raise


@builtin("fromTOML")
def from_toml(text: PlainStr) -> Value:
    """The value that the TOML document `text` means; dates and times are errors."""
    return parse_toml(text)
