"""`import` and `scopedImport`."""

from __future__ import annotations

from aionix.builtins.registry import FilePath, builtin
from aionix.values.attrs import AttrSet
from aionix.values.thunk import Value
from aionix.vm.file_errors import Doing, resolved_file_error
from aionix.vm.host import Host
from aionix.vm.imports import Scope, resolve
from aionix.vm.requests import force
from aionix.vm.run import use


async def import_file(host: Host, path: str, scope: Scope | None = None) -> Value:
    """The value of the file that `path` means; with a `scope` of its own, not from the cache."""
    try:
        file = await resolve(host.io, path)
    except OSError as error:
        raise await resolved_file_error(host.io, error, path, Doing.STATUS) from error
    imported = host.imports.file(file, scope)
    use(imported.trail)
    return await force(imported.thunk)


@builtin("import")
async def import_(host: Host, path: FilePath) -> Value:
    """The value of the Nix file at `path`; of a directory, that of its `default.nix`.

    A file is evaluated once, however often and by whomever it is imported.
    """
    return await import_file(host, path)


@builtin("scopedImport")
async def scoped_import(host: Host, scope: AttrSet, path: FilePath) -> Value:
    """Like `import`, with the attributes of `scope` as extra global variables of that file."""
    return await import_file(host, path, scope)
