"""Compares this evaluator with a nix-instantiate on random programs that make derivations.

    python -m tests.fuzz.derivations --count 500 --seed 1 [--command nix-instantiate] [--no-shrink]

Each program is a chain of derivations, and a list of what can be seen of them; most run with the
experimental features of derivations on. The command is given a scratch store to write to, since programs read back
what they put there. Results are compared exactly, failures by the last `error:` line. Exit code 1 if one
differs. `tests.fuzz.differential` tells how a difference is made smaller.
Left alone: a hash of another kind than SHA-256 for `outputHashMode = "text"`, on which C++ Nix crashes;
`storePath` and reading of what would have to be built.
"""

from __future__ import annotations

import argparse
import errno
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from hashlib import new, sha256
from pathlib import Path
from random import Random

import anyio

from aionix.evaluation import Evaluation
from aionix.io import FileType, OpenEntry
from aionix.store.hashes import Hash
from aionix.values.printing import show
from io_backends import LocalDisk
from tests.fuzz.differential import SECONDS, Theirs, shrink
from tests.fuzz.generate import Tree

BATCH = 40
FEATURES = ("ca-derivations", "impure-derivations", "dynamic-derivations", "git-hashing")

_LEFT_ALONE = ("does not build", "no fetcher is configured", "text ingestion must use", "cannot be created")
_SIMPLE = '(derivation { name = "simple"; system = "s"; builder = "b"; })'
_HEX = {name: new(name, b"x").hexdigest() for name in ("md5", "sha1", "sha256", "sha512")}
_FILE_HASH = sha256(b"hi\n").hexdigest()

#: What a part may be, by kind; `%kind` is a hole. The first line of a kind ends a program that is deep,
#: and lines that begin with `!` are taken rarely: most of them fail.
KINDS = {
    "text": """"" | "a" | "b c" | "x\\ny\\t\\"\\\\$" | "é" | "-" | "a=b"
(%string + "-" + %string) | "${%string}" | (toString %any) | (toJSON %any) | (substring 0 5 %string) | (concatStringsSep " " [ %string %string ])
(replaceStrings [ "a" ] [ %string ] %string) | (toXML %any) | (baseNameOf %string) | (dirOf %string) | (unsafeDiscardStringContext %string)
(hashString "sha256" %string) | (placeholder %output) | (toString (hasContext %string)) | (toJSON (getContext %string)) | (readFile (toFile "t" "text"))
(toJSON (readDir %whole)) | (readFile "${%whole}/a") | (toJSON (pathExists "${%source}/dir/inner")) | (readFileType "${%whole}/link") | (hashFile "sha256" "${%whole}/a")
(toJSON (import (toFile "t.nix" "1 + 1"))) | (readFile %plain_drv_path) | (toJSON (import "${%whole}/x.nix")) | (readFile "${%whole}/dir/inner") | (toJSON (readDir "${%whole}/dir"))
(toJSON (pathExists "${%source}/missing")) | (readFile "${%whole}/link") | (toJSON (import (%tree + "/x.nix"))) | (readFile (%tree + "/dir/inner")) | (hashFile %algorithm_name %file)
! (readFile "${%source}/dir/inner") | (toJSON (readDir %source)) | (readFile "${%source}/link") | (readFileType "${%source}/to-dir/inner") | (readFile "${%source}/to-dir/inner")
! (convertHash { hash = %hash; hashAlgo = %algorithm_name; toHashFormat = %format; }) | (convertHash { hash = %hash; toHashFormat = %format; }) | (readFile %file) | (toJSON (readDir (%tree + "/to-dir"))) | (readFile (toFile "t" %string)) | (toJSON (readDir "${%source}/to-dir")) | (readFile "${%source}/broken") | (readFile %source) | (toJSON (import %source)) | (readFile %string)""",
    "string": """%text | "${%drv}" | "${%drv}" | "${%drv.drvPath}" | (unsafeDiscardOutputDependency %drv.drvPath) | %plain_drv_path
"a" | %text | "${%tree}" | "${%file}" | %source | (toFile %name %text) | (toFile "ref" %source) | (toFile "ref" (toFile "in" %text))
(addDrvOutputDependencies %plain_drv_path) | (addDrvOutputDependencies %drv.drvPath) | (appendContext "x" (getContext %string))
(appendContext %string (getContext %string)) | (unsafeDiscardOutputDependency %string) | (storePath %source) | (storePath (unsafeDiscardStringContext "${%whole}/a")) | (appendContext "q" { ${unsafeDiscardStringContext %drv.drvPath} = %context; })
(appendContext "q" { ${unsafeDiscardStringContext "${%whole}"} = { path = true; }; }) | (fetchurl { url = "file://%TREE/a"; sha256 = "%FILE_HASH"; name = %name; })
! (appendContext "q" { ${unsafeDiscardStringContext %source} = %context; }) | (outputOf %drv.outPath %output) | (outputOf %plain_drv_path %output) | (outputOf %string %output) | (outputOf (outputOf %drv.outPath %output) %output) | (addDrvOutputDependencies %string) | (toFile %name %string)""",
    "context": """{ path = true; } | { allOutputs = true; } | { outputs = [ "out" ]; } | { outputs = [ ]; } | { path = false; allOutputs = true; }
! { path = true; allOutputs = %any; } | { path = false; outputs = [ "out" "dev" ]; } | { outputs = [ %output ]; }""",
    "plain_drv_path": """(unsafeDiscardOutputDependency %drv.drvPath)""",
    "whole": """%TREE | (path { path = %TREE; name = %name; }) | (filterSource (p: t: true) %TREE) | (path { path = "${%TREE}"; name = "again"; })""",
    "source": """"${%tree}" | "${%tree}" | (path { path = %tree; name = %name; }) | (filterSource %filter %tree) | (path { path = %tree; filter = %filter; })
(path { path = %file; recursive = %boolean; }) | (path { path = %file; recursive = true; name = %name; }) | (path { path = "${%tree}"; name = "again"; }) | (path { path = %TREE/a; recursive = false; sha256 = "%FILE_HASH"; })
(path { path = "${%whole}"; filter = %filter; }) | "${%whole}/dir" | (path { path = "${%whole}/dir"; }) | (filterSource %filter "${%whole}/dir") | "${/. + unsafeDiscardStringContext "${%whole}/dir"}" | "${/. + unsafeDiscardStringContext "${%whole}"}" | "${/. + unsafeDiscardStringContext "${%whole}/a"}" | (path { path = toFile %name %text; })
! (path { path = %file; filter = %filter; }) | (path { path = %tree; sha256 = %hash; }) | (filterSource %filter %string) | (path { path = %any; }) | (path { path = %file; recursive = false; sha256 = %hash; }) | (path { path = %tree; filter = %filter; name = "n"; recursive = %boolean; }) | (path { path = %source; filter = %filter; }) | (path { path = "${%source}/dir"; }) | (filterSource %filter "${%source}/dir") | (path { path = "${%whole}/link"; name = "l"; }) | (path { path = "${%whole}/to-dir"; }) | "${/. + unsafeDiscardStringContext "${%whole}/link"}" """,
    "tree": """%TREE | %TREE/dir | %TREE | %TREE/empty | (%TREE + "/dir") | %TREE/to-dir
! %TREE/link | %TREE/missing""",
    "file": """%TREE/a | %TREE/exe | %TREE/link | %TREE/dir/inner | %TREE/x.nix | %TREE/to-dir/inner
! %TREE/missing | %TREE/broken | %TREE/a/b | %TREE/dir""",
    "filter": """(p: t: true) | (p: t: false) | (p: t: t != "symlink") | (p: t: t != "directory") | (p: t: baseNameOf p != "a") | (p: t: t == "directory" || baseNameOf p == "inner")
(p: t: stringLength p < 1000) | (p: t: t == "regular" || t == "directory") | (p: t: p != "%TREE/dir") | (p: t: match ".*/(link|broken|to-dir)" p == null)
! (p: t: 1) | (p: throw "no") | (x: true) | 1 | { __functor = s: p: t: true; } | (p: t: baseNameOf p != "é" || throw p)""",
    "boolean": """true | false
! null | %any""",
    "any": """%string | %text | null | true | false | 1 | (-7) | 1.5 | 0.1 | [ ] | %tree | %file
%string | [ %any %any ] | [ [ ] %any ] | [ [ %any ] [ ] %any ] | %drv | %drv.all | { outPath = %string; } | { outPath = %drv; } | { __toString = self: %string; } | { __toString = self: %string; outPath = "x"; } | %string | { outPath = { outPath = %string; }; }
! { } | { a = %any; b = %any; } | (x: x) | (throw "t") | { a = %string; outPath = %any; } | { __toString = self: %any; }""",
    "name": """"n" | "name-1.0" | "a.b+c_d?e=f" | "n-"
! ".x" | "" | "a b" | "é" | "." | ".-a" | %string | ".." | "..-" """,
    "output": """"out"
! "dev" | "lib" | "missing" | "" | %string | "é" """,
    "outputs": """[ "out" ] | [ "out" "dev" ] | [ "dev" "out" "lib" ] | [ "lib" ] | [ "z" "dev" ]
! [ ] | [ "out" "out" ] | [ "drvPath" ] | "out dev" | [ "out" 1 ] | [ "a b" ] | [ "out" %string ] | [ "out" "x/y" ] | [ "out" "" ] | [ "z" "é" ] | null | [ "name" ] | [ "a" "out" ]""",
    "mode": """"flat" | "recursive" | "nar" | "text" | "git"
! "wrong" | "" | null | "r" """,
    "algorithm": """"sha256" | "sha256" | "sha1" | "md5" | "sha512"
"" | null
! "wrong" | "SHA256" | %string""",
    "algorithm_name": """"sha256" | "sha1" | "md5" | "sha512"
! "wrong" """,
    "format": """"base16" | "nix32" | "base32" | "base64" | "sri"
! "wrong" """,
    "drv": """%known | %known | %known | (derivation %drv_args) | (%known.dev or %known) | (%known // { a = 1; }) | (head %known.all)
! %known.drvAttrs | %known.dev | (derivationStrict %drv_args)""",
}  # fmt: skip
WRONG_CHANCE = 0.004
RARE_CHANCE = 0.06
WRONG = ("null", "1", "{ }", "[ ]", '(throw "oops")', "(x: x)", '"wrong"')

_HOLE = re.compile(r"%(\w+)")


def _templates(lines: Sequence[str]) -> list[str]:
    return [one.strip(" ") for line in lines for one in line.removeprefix("! ").split(" | ")]


_LINES = {kind: text.split("\n") for kind, text in KINDS.items()}
_LEAVES = {kind: _templates(lines[:1]) for kind, lines in _LINES.items()}
_USUAL = {kind: _templates([line for line in lines if line[:2] != "! "]) for kind, lines in _LINES.items()}
_RARE = {kind: _templates([line for line in lines if line[:2] == "! "]) for kind, lines in _LINES.items()}


class Generator:
    """Random programs over the files in the directory `tree`."""

    def __init__(self, random: Random, tree: str) -> None:
        self._random = random
        self._tree = tree

    def program(self) -> Tree:
        """Some derivations, each of which may need those before it, and what is seen of them."""
        count = self._random.randint(1, 5)
        parts: list[str | Tree] = ["with builtins; let "]
        for index in range(count):
            parts += [f"d{index} = derivation ", self.arguments(3, index), "; "]
        parts.append("in [ ")
        for _ in range(self._random.randint(1, 2)):
            parts += ["(", self.observation(count), ") "]
        parts.append("]")
        return Tree(parts)

    def observation(self, known: int) -> Tree:
        last = f"d{known - 1}"
        templates = [
            "[ %last.drvPath %last.outPath (getContext %last.outPath) (getContext %last.drvPath) ]",
            "readFile (unsafeDiscardOutputDependency %last.drvPath)",
            "map (d: [ d.outPath d.outputName (getContext d.outPath) ]) %last.all",
            "getContext %string", "%string", "%text", "%source", "[ %text %string ]", "(derivation %drv_args).drvPath",
            "let s = %string; in [ s (getContext s) ]",
        ]  # fmt: skip
        return self.filled(self._random.choice(templates).replace("%last", last), 4, known)

    def arguments(self, depth: int, known: int) -> Tree:
        """What `derivation` is given."""
        random = self._random
        parts: list[str | Tree] = ["{ "]
        given = {
            "name": random.choice(["%name", "%name", '"x.drv"']) if random.random() < 0.15 else f'"d{known}"',
            "system": random.choice(['"t"', "%file", "null"]) if random.random() < 0.04 else '"s"',
            "builder": "%any" if random.random() < 0.2 else '"b"',
        }
        optional = {
            "a": ("%any", 0.5), "b": ("%any", 0.4), "src": ("%source", 0.3), "args": ("[ %any %any ]", 0.2),
            "outputs": ("%outputs", 0.3), "__structuredAttrs": ("%boolean", 0.2), "__ignoreNulls": ("%boolean", 0.2),
            "passAsFile": ('[ "a" %any ]', 0.1), "inputs": ("[ %drv %drv %source ]", 0.3), "é x": ("%string", 0.05),
            "allowedReferences": ("[ ]", 0.05), "out": ("%any", 0.04), "__json": ("%string", 0.03),
        }  # fmt: skip
        if random.random() < 0.3:
            optional["outputs"] = ("%outputs", 0.03)
            optional |= {"outputHash": ("%hash", 0.95), "outputHashAlgo": ("%algorithm", 0.7), "outputHashMode": ("%mode", 0.6)}
        elif random.random() < 0.35:
            optional |= {
                "__contentAddressed": ("%boolean", 0.7), "__impure": ("%boolean", 0.3), "outputHashMode": ("%mode", 0.4),
                "outputHashAlgo": ("%algorithm", 0.3),
            }  # fmt: skip
        given |= {name: text for name, (text, chance) in optional.items() if random.random() < chance}
        if random.random() < 0.02:
            del given[random.choice(["name", "system", "builder"])]
        for name, text in random.sample(list(given.items()), len(given)):
            shown = name if name.isidentifier() and name.isascii() else f'"{name}"'
            parts += [f"{shown} = ", self.filled(text, depth - 1, known), "; "]
        return Tree([*parts, "}"])

    def part(self, kind: str, depth: int, known: int) -> Tree:
        random = self._random
        if kind == "TREE":
            return Tree([self._tree], False)
        if kind == "FILE_HASH":
            return Tree([_FILE_HASH], False)
        if kind == "hash":
            return self._hash()
        if kind == "known":
            return Tree([f"d{random.randrange(known)}" if known else _SIMPLE])
        if kind == "drv_args":
            return self.arguments(depth, known)
        if random.random() < WRONG_CHANCE:
            return Tree([random.choice(WRONG)])
        choices = _LEAVES[kind] if depth <= 0 else _USUAL[kind]
        if _RARE[kind] and random.random() < RARE_CHANCE:
            choices = _RARE[kind]
        return self.filled(random.choice(choices), depth - 1, known)

    def _hash(self) -> Tree:
        random = self._random
        algorithm = random.choice(["sha256", "sha256", "sha1", "md5", "sha512"])
        digest = _HEX[algorithm]
        spelled = Hash(algorithm, bytes.fromhex(digest)).spell(random.choice(["base16", "nix32", "base64", "sri", "sri"]))
        if random.random() < 0.15:
            spelled = random.choice([f"{algorithm}:{spelled}", spelled[:-1], "", spelled + "=", "wrong", spelled[1:]])
        return Tree([f'"{spelled}"'])

    def filled(self, template: str, depth: int, known: int) -> Tree:
        """`template` with its holes filled."""
        parts: list[str | Tree] = []
        end = 0
        for hole in _HOLE.finditer(template):
            parts += [template[end : hole.start()], self.part(hole[1], depth, known)]
            end = hole.end()
        return Tree([*parts, template[end:]])


class _Disk(LocalDisk):
    """The disk, but for the store, which is the command's: ours has what the program puts there."""

    def __init__(self, store: str) -> None:
        super().__init__()
        self._store = store

    def store_dir(self) -> str:
        return self._store

    async def read(self, path: str) -> bytes:
        return await super().read(self._allowed(path))

    async def read_dir(self, path: str) -> dict[str, FileType]:
        return await super().read_dir(self._allowed(path))

    async def file_type(self, path: str) -> FileType:
        return await super().file_type(self._allowed(path))

    async def read_link(self, path: str) -> str:
        return await super().read_link(self._allowed(path))

    async def resolve(self, path: str) -> str:
        return path if path.startswith(self._store + "/") else await super().resolve(path)

    def open_entry(
        self, path: str, kind: FileType | None = None
    ) -> AbstractAsyncContextManager[OpenEntry]:
        return super().open_entry(self._allowed(path), kind)

    def _allowed(self, path: str) -> str:
        if path.startswith(self._store + "/"):
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path)
        return path


def ours(texts: Sequence[str], features: Sequence[str], store: str) -> list[str]:
    """What aionix says to each, as `Theirs` does."""

    async def all_of_them() -> list[str]:
        return [await _evaluated(text, features, store) for text in texts]

    return anyio.run(all_of_them)


async def _evaluated(text: str, features: Sequence[str], store: str) -> str:
    builder = Evaluation.builder(_Disk(store)).mode("strict").features(features).trace(lambda message: None)
    try:
        with anyio.fail_after(SECONDS):
            result = await builder.build().evaluate(text)
    except TimeoutError:
        return "timeout"
    except Exception as error:  # a fault of ours is what we look for
        return f"crash: {type(error).__name__}: {error}"
    if result.value is None:
        message = ("error: " + result.errors[0].message.split("\n")[0]).strip()
        return "error: undefined variable" if "undefined variable" in message else message
    return show(result.value.raw)


def plant(directory: Path) -> None:
    """The files that programs copy, filter and read."""
    (directory / "dir" / "deep").mkdir(parents=True)
    (directory / "empty").mkdir()
    (directory / "a").write_text("hi\n")
    (directory / "x.nix").write_text("[ 1 (import ./dir/y.nix) ]")
    (directory / "dir" / "y.nix").write_text("2")
    (directory / "dir" / "inner").write_text("inner")
    (directory / "dir" / "deep" / "é").write_text("")
    (directory / "exe").write_text("#!")
    (directory / "exe").chmod(0o755)
    (directory / "link").symlink_to("a")
    (directory / "to-dir").symlink_to("dir")
    (directory / "broken").symlink_to("nowhere")


def _same(left: str, right: str) -> bool:
    return left == right or any([words in answer for words in _LEFT_ALONE for answer in (left, right)])


def compare(
    command: Sequence[str], trees: Sequence[Tree], features: Sequence[str], store: str, shrinking: bool
) -> tuple[int, int]:
    """Prints the programs that tell the two apart; how many there were, and how many programs succeeded."""
    enabled = ["--extra-experimental-features", " ".join(features)] if features else []
    theirs = Theirs([*command, *enabled], strict=True)
    texts = [str(tree) for tree in trees]
    found = fine = 0
    answers = zip(trees, ours(texts, features, store), theirs.results(texts), strict=True)
    for tree, left, right in answers:
        fine += not left.startswith("error")
        if _same(left, right):
            continue
        found += 1
        small = tree
        if shrinking:
            small = shrink(
                tree, lambda text: not _same(*ours([text], features, store), *theirs.results([text]))
            )
            [left], [right] = ours([str(small)], features, store), theirs.results([str(small)])
        print(f"--- {' '.join(features)}\n{small}\n  aionix: {left[:600]}\n  theirs: {right[:600]}", flush=True)
    return found, fine


def main() -> int:
    parser = argparse.ArgumentParser(description="Compare derivations of aionix with those of a nix-instantiate.")
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--command", default="nix-instantiate")
    parser.add_argument("--no-shrink", action="store_true")
    options = parser.parse_args()
    if shutil.which(options.command) is None:
        print(f"{options.command} is not installed: nothing compared")
        return 0
    random = Random(options.seed)
    found = fine = 0
    with tempfile.TemporaryDirectory(prefix="fuzz") as directory:
        tree, store = Path(directory, "tree"), f"{directory}/store"
        plant(tree)
        generator = Generator(random, str(tree))
        settings = f"local?store={store}&state={directory}/state&log={directory}/log"
        command = [options.command, "--store", settings, "--read-write-mode", "--option", "substitute", "false"]
        for start in range(0, options.count, BATCH):
            trees = [generator.program() for _ in range(min(BATCH, options.count - start))]
            features = FEATURES if random.random() < 0.7 else ()
            counts = compare(command, trees, features, store, not options.no_shrink)
            found, fine = found + counts[0], fine + counts[1]
    print(f"{options.count} programs, {fine} with a result, {found} differences")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
