"""`import` and `scopedImport`."""

from __future__ import annotations

from aionix.builtins.registry import FilePath, builtin
from aionix.values.attrs import AttrSet
from aionix.values.thunk import Value
from aionix.vm.fiber import running
from aionix.vm.file_errors import Doing, resolved_file_error
from aionix.vm.host import Host
from aionix.vm.imports import Resolved, Scope


def import_file(host: Host, path: str, scope: Scope | None = None) -> Value:
    """The value of the file that `path` means; with a `scope` of its own, not from the cache. In a fiber."""
    fiber = running()
    found = host.imports.known(path) if scope is None else None
    if found is None:
        found = fiber.suspend(_resolved(host, path))
    else:
        fiber.uses(found.trail)
    imported = host.imports.file(found.path, scope)
    fiber.uses(imported.trail)
    return fiber.inside(imported.thunk)


async def _resolved(host: Host, path: str) -> Resolved:
    try:
        return await host.imports.resolve(host.io, path)
    except OSError as error:
        raise await resolved_file_error(host.io, error, path, Doing.STATUS) from error


@builtin("import")
def import_(host: Host, path: FilePath) -> Value:
    """The value of the Nix file at `path`; of a directory, that of its `default.nix`.

    A file is evaluated once, however often and by whomever it is imported.
    """
    return import_file(host, path)


@builtin("scopedImport")
def scoped_import(host: Host, scope: AttrSet, path: FilePath) -> Value:
    """Like `import`, with the attributes of `scope` as extra global variables of that file."""
    return import_file(host, path, scope)
