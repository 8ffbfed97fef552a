"""A tree that is served in many ways, and evaluates to the same in each."""

from __future__ import annotations

import aionix
from aionix.io import EvalIO
from io_backends import Executable, Memory, Symlink
from io_backends.memory import Node

#: What any medium can have.
PLAIN: dict[str, Node] = {
    "default.nix": """{
      names = builtins.attrNames (builtins.readDir ./src);
      value = import ./src/lib;
      source = "${./src}";
    }""",
    "src": {
        "lib": {"default.nix": "import ../two.nix + 40"},
        "two.nix": "2",
        "large": bytes(range(256)) * 2000,
        "with space": "ü",
    },
}
#: With links and an executable file.
TREE: dict[str, Node] = {
    "default.nix": PLAIN["default.nix"],
    "src": {
        "lib": {"default.nix": "import ../two.nix + 40"},
        "two.nix": Symlink("lib/../data/two.nix"),
        "data": {"two.nix": "2", "large": bytes(range(256)) * 2000},
        "run": Executable("#!/bin/sh\n"),
        "out": Symlink("/nowhere"),
    },
}


#: Where `src` of them is in a store, as `nix-instantiate` has it.
FLAT_SOURCE = "/nix/store/phpnd37vqj7kwwilj9bxw9kjkr8s97z8-src"
SOURCE = "/nix/store/9nv5q5ikawicqc9s572jmf3qxxbm5smk-src"


async def evaluates_as_in_memory(io: EvalIO, tree: dict[str, Node]) -> None:
    """`import`, `readDir` and the store path of a source are those of the same tree in memory."""
    expected, value = [
        (await aionix.evaluate_file("/default.nix", io=each)).to_python() for each in (Memory(tree), io)
    ]
    assert value == expected
    assert isinstance(value, dict)
    assert value["value"] == 42
    assert str(value["source"]) == (FLAT_SOURCE if tree is PLAIN else SOURCE)
