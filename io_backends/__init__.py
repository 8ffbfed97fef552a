"""Where an evaluation's files come from: adapters behind `aionix.io.EvalIO`.

    LocalDisk   this machine's files, or those under one directory
    Memory      a tree of Python dicts
    Sealed      nothing at all
    contract    the checks that every backend passes, ours and yours

They know `aionix.io` and nothing else of aionix.
"""

from io_backends.local import LocalDisk as LocalDisk
from io_backends.memory import Executable as Executable
from io_backends.memory import Memory as Memory
from io_backends.memory import Symlink as Symlink
from io_backends.sealed import Sealed as Sealed


def default_io() -> LocalDisk:
    """What a command line tool of Nix sees: every file of this machine, and the environment."""
    return LocalDisk(env=True)
