"""Programs that want the whole machine, and worlds that go on for ever. `test_hostile_bombs` sets them off.

    python tests/bombs.py     one JSON line for each: what it ended in, after how long, how large
"""

from __future__ import annotations

import gzip
import io
import json
import os
import resource
import struct
import tarfile
import tempfile
import time
import zipfile
from collections.abc import Callable
from dataclasses import dataclass

import anyio

import aionix
from aionix import Budget
from aionix.io import EvalIO, FileType
from aionix.store.nar import field
from io_backends import Archive, Memory, Nar

BUDGET = Budget(
    seconds=0.5, memory=120 << 20, steps=20_000_000, io_calls=2000, io_bytes=30 << 20, output=5_000_000
)


class Endless(EvalIO):
    """Whatever is asked for is there: a file that imports the next one, a directory in every directory."""

    async def read(self, path: str) -> bytes:
        return f"1 + import {path}x".encode()

    async def read_dir(self, path: str) -> dict[str, FileType]:
        return {"a": FileType.DIRECTORY, "b": FileType.REGULAR}

    async def file_type(self, path: str) -> FileType:
        return FileType.REGULAR if path.endswith("x") or path.endswith("b") else FileType.DIRECTORY


class Links(Endless):
    """Every name is a link to the next one."""

    async def file_type(self, path: str) -> FileType:
        return FileType.SYMLINK

    async def read_link(self, path: str) -> str:
        return path + "x"


class Wide(Endless):
    """A directory of a million names, which are all directories of a million names."""

    async def read_dir(self, path: str) -> dict[str, FileType]:
        return {f"{number}": FileType.DIRECTORY for number in range(200_000)}


class Large(Endless):
    """Files of eight megabytes."""

    async def read(self, path: str) -> bytes:
        return b"x" * (8 << 20)


class Silent(Endless):
    """Never answers."""

    async def read(self, path: str) -> bytes:
        await anyio.sleep_forever()
        raise AssertionError


def zip_bomb() -> EvalIO:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a", bytes(200 << 20))
    return Archive(_written("bomb.zip", packed.getvalue()))


def tar_bomb() -> EvalIO:
    packed = io.BytesIO()
    with gzip.GzipFile(fileobj=packed, mode="wb", compresslevel=1) as file:
        header = tarfile.TarInfo("a")
        header.size = 200 << 20
        file.write(header.tobuf())
        for _ in range(200):
            file.write(bytes(1 << 20))
        file.write(bytes(1024))
    return Archive(_written("bomb.tar.gz", packed.getvalue()), max_file_size=32 << 20)


def crowded_zip() -> EvalIO:
    """A million and a half of members, which are nowhere, in 70 MB."""
    listed = (struct.pack("<4s24x3H12x", b"PK\1\2", 1, 0, 0) + b"a") * 1_500_000
    end = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 1, 1, len(listed), 0, 0)
    return Archive(_written("crowded.zip", listed + end))


def crowded_tar() -> EvalIO:
    """400,000 empty members: 200 MB of headers in 4."""
    packed = io.BytesIO()
    with gzip.GzipFile(fileobj=packed, mode="wb", compresslevel=1) as file:
        members = b"".join(tarfile.TarInfo(f"{number}").tobuf() for number in range(1000))
        for _ in range(400):
            file.write(members)
    return Archive(_written("crowded.tar.gz", packed.getvalue()))


def deep_nar() -> EvalIO:
    """A directory in a directory, 300,000 times."""
    inner = ("(", "type", "directory", "entry", "(", "name", "d", "node")
    return Nar(_written("deep.nar", _words("nix-archive-1") + _words(*inner) * 300_000))


def lying_nar() -> EvalIO:
    """A file of 2^60 bytes, it says."""
    head = _words("nix-archive-1", "(", "type", "regular", "contents")
    return Nar(_written("lying.nar", head + struct.pack("<Q", 1 << 60) + bytes(1 << 20)))


def _words(*words: str) -> bytes:
    return b"".join(field(word.encode()) for word in words)


def _written(name: str, data: bytes) -> str:
    path = os.path.join(tempfile.gettempdir(), name)
    with open(path, "wb") as file:
        file.write(data)
    return path


def nothing() -> EvalIO:
    return Memory({})


@dataclass(frozen=True)
class Bomb:
    code: str
    world: Callable[[], EvalIO] = nothing


def doubled(step: str, start: str, times: int = 40) -> str:
    return f"let d = n: s: if n == 0 then s else d (n - 1) ({step}); in d {times} ({start})"


NUMBERS = "builtins.genList (n: n)"
SELF = "let f = n: [ (f (n + 1)) (f (n + 2)) ]; in f 0"
DEEP_JSON = "[" * 3_000_000

BOMBS: dict[str, Bomb] = {
    # size
    "a string of 2^40 characters": Bomb(f'builtins.stringLength ({doubled("s + s", chr(34) + "a" + chr(34))})'),
    "... by interpolation": Bomb(doubled('"${s}${s}"', '"a"')),
    "... that is no ASCII": Bomb(doubled('"${s}${s}"', '"ä"')),
    "... by concatStringsSep": Bomb(doubled("builtins.concatStringsSep s [ s s ]", '"a"')),
    "... by concatStrings of a list": Bomb(doubled('builtins.concatStringsSep "" [ s s ]', '"aé"')),
    "... by replaceStrings": Bomb(doubled('builtins.replaceStrings [ "a" ] [ "aa" ] s', '"a"')),
    "... by toString of a list": Bomb("builtins.stringLength (toString (" + doubled("[ s s ]", '"a"') + "))"),
    "... by toJSON": Bomb("builtins.stringLength (builtins.toJSON (" + doubled("[ s s ]", '"a"') + "))"),
    "... by toJSON of JSON": Bomb(doubled("builtins.toJSON s", r'"\""')),
    "... by toXML": Bomb("builtins.stringLength (builtins.toXML (" + doubled("[ s s ]", '"a"') + "))"),
    "a list of 2^40 elements": Bomb(doubled("s ++ s", "[ 1 ]")),
    "... by concatLists": Bomb(doubled("builtins.concatLists [ s s ]", "[ 1 ]")),
    "... by concatMap": Bomb(doubled("builtins.concatMap (x: [ x x ]) s", "[ 1 ]")),
    "a huge genList": Bomb(f"builtins.length ({NUMBERS} 16000000)"),
    "many large lists": Bomb(f"let l = {NUMBERS} 100000; in {NUMBERS[:0]}builtins.genList (n: l ++ [ n ]) 10000"),
    "many large sets": Bomb(
        f"let s = builtins.listToAttrs (map (n: {{ name = toString n; value = n; }}) ({NUMBERS} 20000)); "
        "in builtins.genList (n: s // { x = n; }) 10000"
    ),
    "sets that grow": Bomb(
        "let f = n: s: f (n + 1) (s // { ${toString n} = n; }); in f 0 { }"
    ),
    "a flood of attribute names": Bomb(
        "builtins.listToAttrs (builtins.genList (n: "
        '{ name = "${toString n}-a-name-that-is-rather-long"; value = n; }) 4000000)'
    ),
    "a value that is small until it is written": Bomb(doubled("[ s s ]", "[ 1 1 ]")),
    "... as sets": Bomb(doubled("{ a = s; b = s; }", "{ }")),
    "many large substrings": Bomb(
        f'let s = builtins.concatStringsSep "," (map toString ({NUMBERS} 400000)); '
        "in builtins.genList (n: builtins.substring n (-1) s) 100000"
    ),
    # time
    "many large substrings of a known length": Bomb(
        f"let s = {doubled('s + s', chr(34) + 'a' + chr(34), 25)}; f = n: builtins.substring n 30000000 s; "
        'in builtins.length (builtins.filter (x: x == "") (builtins.genList f 100))'
    ),
    "doubling recursion": Bomb("let fib = n: if n < 2 then n else fib (n - 1) + fib (n - 2); in fib 100"),
    "a loop": Bomb("builtins.foldl' (a: b: a + b) 0 (builtins.genList (n: builtins.foldl' (a: b: a + b) 0 "
                   f"({NUMBERS} 100000)) 100000)"),
    "endless recursion": Bomb("let f = n: 1 + f (n + 1); in f 0"),
    "endless recursion through builtins": Bomb("let f = n: builtins.foldl' (a: b: f n) 0 [ 1 ]; in f 0"),
    "endless recursion of tryEval": Bomb("let f = n: builtins.tryEval (f (n + 1)); in f 0"),
    "an endless list, deepSeq": Bomb("let f = n: [ n (f (n + 1)) ]; in builtins.deepSeq (f 0) 1"),
    "an endless tree": Bomb(SELF),
    "an endless tree, toXML": Bomb(f"builtins.toXML ({SELF})"),
    "an endless tree, toJSON": Bomb(f"builtins.toJSON ({SELF})"),
    "an endless tree, compared": Bomb(f"({SELF}) == ({SELF})"),
    "sort with an endless comparator": Bomb(
        f"builtins.sort (a: b: builtins.foldl' (x: y: x && y) true (map (x: true) ({NUMBERS} 100000))) ({NUMBERS} 100000)"
    ),
    "sort of what was sorted before": Bomb(
        f"let l = {NUMBERS} 300000; in builtins.genList (n: builtins.sort builtins.lessThan l) 1000"
    ),
    "genericClosure without an end": Bomb(
        "builtins.genericClosure { startSet = [ { key = 0; } ]; operator = x: [ { key = x.key + 1; } { key = x.key * 2 + 1; } ]; }"
    ),
    "replaceStrings of nothing": Bomb(
        f'let s = builtins.concatStringsSep "," (map toString ({NUMBERS} 1000000)); '
        'in builtins.genList (n: builtins.stringLength (builtins.replaceStrings [ "" ] [ "x" ] s)) 1000'
    ),
    "a builtin without Nix code": Bomb(
        f'let s = builtins.concatStringsSep "," (map toString ({NUMBERS} 500000)); '
        'in builtins.genList (n: builtins.hashString "sha512" s) 100000'
    ),
    "string contexts that grow": Bomb(
        'let f = n: s: f (n + 1) "${builtins.toFile (toString n) "x"}${s}"; in f 0 ""'
    ),
    "derivations that need each other": Bomb(
        'let d = n: p: d (n + 1) "${derivation { name = "x"; builder = "b"; system = "s"; inherit p n; }}"; in d 0 ""'
    ),
    # patterns
    "a pattern with nested stars": Bomb(
        f'builtins.match "((a*)*)*b" (builtins.concatStringsSep "" (map (n: "a") ({NUMBERS} 1000000)))'
    ),
    "split with nested stars": Bomb(
        f'builtins.split "(a*)*(b|c)*" (builtins.concatStringsSep "" (map (n: "ab") ({NUMBERS} 2000000)))'
    ),
    "a pattern that unfolds": Bomb('builtins.match "((((a{100}){100}){100}){100}){100}" "a"'),
    "split into millions": Bomb(
        f'let s = builtins.concatStringsSep "" (map (n: "ab") ({NUMBERS} 1000000)); in builtins.split "(a)(b)" s'
    ),
    # parsers
    "deep JSON": Bomb("builtins.fromJSON (builtins.readFile /deep)", lambda: Memory({"deep": DEEP_JSON})),
    "deep data to JSON": Bomb("let f = n: { a = f (n + 1); }; in builtins.toJSON (f 0)"),
    "deep TOML": Bomb("builtins.fromTOML (builtins.readFile /deep)", lambda: Memory({"deep": "a = " + DEEP_JSON})),
    "a deep program": Bomb("import /deep.nix", lambda: Memory({"deep.nix": "[" * 3_000_000})),
    "a deep program of parentheses": Bomb("(" * 400_000 + "1" + ")" * 400_000),
    "a wide program": Bomb("import /wide.nix", lambda: Memory({"wide.nix": "[" + "1 " * 8_000_000 + "]"})),
    "a long string of interpolations": Bomb('"' + '${"' * 300_000 + "1" + '"}' * 300_000 + '"'),
    # worlds
    "endless imports": Bomb("import /x", Endless),
    "endless listings": Bomb(
        "let f = p: map f (map (n: p + \"/${n}\") (builtins.attrNames (builtins.readDir p))); in f /.", Endless
    ),
    "an endless tree to copy": Bomb('"${/d}"', Endless),
    "an endless chain of links": Bomb("import /a", Links),
    "wide directories": Bomb(
        "let f = p: map (n: f (p + \"/${n}\")) (builtins.attrNames (builtins.readDir p)); in f /.", Wide
    ),
    "large files": Bomb("builtins.genList (n: builtins.readFile (/. + toString n)) 1000", Large),
    "a file that never comes": Bomb("builtins.readFile /x", Silent),
    "a zip bomb": Bomb("builtins.stringLength (builtins.readFile /a)", zip_bomb),
    "a zip of millions of members": Bomb("builtins.readDir /.", crowded_zip),
    "a tar of a crowd of members": Bomb("builtins.readDir /.", crowded_tar),
    "a nar without a bottom": Bomb("builtins.readDir /.", deep_nar),
    "a nar with a file of 2^60 bytes": Bomb("builtins.readFile /.", lying_nar),
    "a tar bomb": Bomb("builtins.stringLength (builtins.readFile /a)", tar_bomb),
}  # fmt: skip


async def explode(bomb: Bomb) -> dict[str, object]:
    evaluation = aionix.Evaluation.builder(bomb.world()).mode("strict").build()
    started, used = time.perf_counter(), time.process_time()
    result = await evaluation.evaluate(bomb.code, base_dir="/", budget=BUDGET)
    seconds, processor = time.perf_counter() - started, time.process_time() - used
    again = await evaluation.evaluate("1 + 1", base_dir="/", budget=BUDGET)
    return {
        "codes": [error.code for error in result.errors],
        "message": result.errors[0].message[:200] if result.errors else str(result.value)[:200],
        "seconds": seconds,
        "processor": processor,
        "usable": str(again.value) == "2",
        "bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
    }


def main() -> None:
    for index, name in enumerate(BOMBS):
        child = os.fork()  # each is measured alone, and imports cost once
        if not child:
            backend = ("asyncio", "trio")[index % 2]
            print(json.dumps([name, anyio.run(explode, BOMBS[name], backend=backend)]), flush=True)
            os._exit(0)
        os.waitpid(child, 0)


if __name__ == "__main__":
    main()
