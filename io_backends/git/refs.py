"""Refs: which object a name stands for. gitrevisions(7), what it calls `<sha1>` and `<refname>`."""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from traceback import clear_frames

from dulwich.objects import Commit, ObjectID, Tag
from dulwich.refs import Ref, check_ref_format
from dulwich.repo import Repo

from io_backends.threaded import fail

# Where a short name is looked for, in this order.
_PLACES = ("{}", "refs/{}", "refs/tags/{}", "refs/heads/{}", "refs/remotes/{}", "refs/remotes/{}/HEAD")
_FULL_ID = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_SHORT_ID = re.compile(r"[0-9a-f]{4,64}")


def is_full_id(ref: str) -> bool:
    """Is it an id rather than a name?"""
    return _FULL_ID.fullmatch(ref) is not None


def places_of(ref: str) -> list[str]:
    """The full names that `ref` may be short for, the first that exists counting."""
    names = [place.format(ref) for place in _PLACES]
    return [name for name in names if name == "HEAD" or check_ref_format(Ref(os.fsencode(name)))]


def find_ref(repo: Repo, ref: str) -> ObjectID:
    """The id that `ref` stands for; ENXIO if for none, or for several."""
    if is_full_id(ref):
        return ObjectID(ref.encode())
    for place in places_of(ref):
        with damage(f"the ref '{ref}' cannot be read"), suppress(KeyError):
            return repo.refs[Ref(os.fsencode(place))]
    if _SHORT_ID.fullmatch(ref):
        return _find_short_id(repo, ref)
    fail(errno.ENXIO, f"git: there is no '{ref}' in {repo.path}")


def _find_short_id(repo: Repo, digits: str) -> ObjectID:
    with damage("the objects cannot be listed"):
        found = [id for id in repo.object_store.iter_prefix(digits.encode()) if _is_commit(repo, id)]
    if len(found) != 1:
        fail(errno.ENXIO, f"git: {len(found) or 'no'} commits have an id that begins with '{digits}'")
    return found[0]


def _is_commit(repo: Repo, id: ObjectID) -> bool:
    return repo.object_store.get_raw(id)[0] in (Commit.type_num, Tag.type_num)


@contextmanager
def damage(what: str, code: int = errno.EIO) -> Iterator[None]:
    """What dulwich raises of damaged data, which is nearly anything, is told as an OSError."""
    try:
        yield
    except OSError:
        raise
    except Exception as error:
        clear_frames(error.__traceback__)  # they hold views of packs, which then could not be closed
        raise OSError(code, f"git: {what} ({type(error).__name__})") from error
