"""Paths as `aionix.io` wants them: absolute, without `.`, `..` and doubled or trailing slashes."""

from __future__ import annotations

from aionix.io import MAX_PATH


def is_clean(path: str) -> bool:
    parts = path.split("/")[1:]
    return path == "/" or (path.startswith("/") and not any(part in ("", ".", "..") for part in parts))


def checked(path: str) -> str:
    """A path from a program's settings, where one slash at the end does no harm. Raises ValueError."""
    clean = path if path == "/" else path.removesuffix("/")
    if not is_clean(clean):
        raise ValueError(f"'{path}' is not an absolute path without '.' and '..'")
    return clean


def checked_name(name: str) -> str:
    """A name in a directory, as somebody else says. Raises ValueError if no file can have it."""
    if name in ("", ".", "..") or "/" in name or "\0" in name or len(name) > MAX_PATH:
        raise ValueError(f"the name {name[:64]!r} is not allowed")
    return name


def join(directory: str, name: str) -> str:
    return f"{directory.rstrip('/')}/{name}"


def parent(path: str) -> str:
    return path.rpartition("/")[0] or "/"


def with_parents(path: str) -> list[str]:
    """`path` and every directory on the way to it, up to `/`."""
    found = [path]
    while path != "/":
        path = parent(path)
        found.append(path)
    return found


def is_in(path: str, directory: str) -> bool:
    """Is `path` that directory, or below it?"""
    return path == directory or path.startswith(join(directory, ""))
