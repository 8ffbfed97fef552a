"""What Nix code may know about where it is evaluated."""

from __future__ import annotations

import time

from aionix.builtins.registry import PlainStr, builtin
from aionix.values.attrs import AttrSet
from aionix.values.thunk import Value
from aionix.vm.host import Host


@builtin("getEnv")
async def get_env(host: Host, name: PlainStr) -> Value:
    """The environment variable `name`; "" if it is not set, and always in pure evaluation."""
    if host.pure:
        return ""
    return host.io.get_env(name) or ""


def constants(host: Host) -> dict[str, Value]:
    """The attributes of `builtins` that depend on the host.

    `currentTime` (seconds since 1970, when the evaluator was made) and `currentSystem` are missing from
    pure evaluation, as in C++ Nix.
    """
    values: dict[str, Value] = {"nixPath": nix_path(host), "storeDir": host.store_dir}
    if not host.pure:
        values["currentTime"] = int(time.time())
        values["currentSystem"] = host.current_system
    return values


def nix_path(host: Host) -> tuple[Value, ...]:
    """The search path as `findFile` takes it."""
    return tuple([AttrSet({"path": entry.path, "prefix": entry.prefix}) for entry in host.search_path])
