"""`path`, `filterSource`, `toFile`, `storePath`, and paths in strings: what is looked at, and what must hold.

Pairs of programs and results are in `tests/lang` (`*-builtin-path*`, `*-source-*` and so on).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path as DiskPath

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aionix.errors import FileError, InvalidArgument, NixError, NotAvailable
from aionix.evaluation import Evaluation
from aionix.io import EvalIO
from io_backends import Executable, LocalDisk, Memory, Symlink
from io_backends.memory import Node

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    return "asyncio"  # tests/test_vm_store_files.py has what depends on the loop


TREE: Mapping[str, Node] = {
    "src": {
        "a": "hi\n",
        "run": Executable("#!"),
        "d": {"x.nix": "import ./y.nix", "y.nix": "2", "deep": {"z": ""}},
        "empty": {},
        "link": Symlink("a"),
        "up": Symlink("../other"),
    },
    "other": "elsewhere",
    "to-src": Symlink("src"),
}


async def value(code: str, io: EvalIO | None = None) -> object:
    evaluation = Evaluation.builder(io or Memory(TREE)).mode("strict").build()
    return (await evaluation.evaluate(f"with builtins; {code}", base_dir="/")).unwrap().to_python()


async def error(code: str, io: EvalIO | None = None) -> NixError:
    evaluation = Evaluation.builder(io or Memory(TREE)).mode("strict").build()
    [found] = (await evaluation.evaluate(f"with builtins; {code}", base_dir="/")).errors
    return found


async def test_a_filter_is_asked_about_parents_first_and_not_below_what_it_leaves_out() -> None:
    asked: list[str] = []
    evaluation = Evaluation.builder(Memory(TREE)).trace(asked.append).build()
    code = 'filterSource (p: t: trace "${p} ${t}" (baseNameOf p != "d")) /src'
    await evaluation.evaluate(f"with builtins; {code}", base_dir="/")
    assert asked == [
        "trace: /src/a regular", "trace: /src/d directory", "trace: /src/empty directory", "trace: /src/link symlink",
        "trace: /src/run regular", "trace: /src/up symlink",
    ]  # fmt: skip


async def test_a_filter_sees_the_path_that_links_lead_to() -> None:
    assert await value(
        'filterSource (p: t: substring 0 5 p == "/src/") /to-src == path { path = /src; name = "to-src"; }'
    )


async def test_a_path_keeps_the_name_that_was_written() -> None:
    name = await value("path { path = /to-src; }")
    assert str(name).endswith("-to-src")
    assert await value('path { path = /to-src; name = "src"; } == "${/src}"')


async def test_an_error_of_a_filter_says_what_was_added() -> None:
    found = await error('path { path = /src; filter = p: t: throw "about ${p}"; }')
    assert found.message == "about /src/a"
    assert "while adding path '/src'" in [frame.message for frame in found.frames]


async def test_a_wrong_argument_is_pointed_at() -> None:
    found = await error("path {\n  path = /src;\n  nmae = 1;\n}")
    assert found.message == "unsupported argument 'nmae' to 'builtins.path'"
    assert found.sources is not None
    assert found.span is not None
    assert found.sources.describe(found.span) == "«string»:3:3"
    found = await error("path {\n  path = /src;\n  name = 1;\n}")
    frames = [(frame.message, frame.span) for frame in found.frames]
    [span] = [
        span
        for text, span in frames
        if text == "while evaluating the 'name' attribute passed to 'builtins.path'"
    ]
    assert span is not None
    assert found.sources is not None
    assert found.sources.describe(span) == "«string»:3:3"


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ('"${/src/missing}"', "path '/src/missing' does not exist"),
        ("toJSON { x = /nope; }", "path '/nope' does not exist"),
        ("path { path = /src/missing; }", "path '/src/missing' does not exist"),
        ("path { path = /src; recursive = false; }", "reading from file '/src': Is a directory"),
        ("filterSource (p: t: true) /src/a/b", "path '/src/a/b' does not exist"),
    ],
)
async def test_what_is_missing_is_named(code: str, message: str) -> None:
    found = await error(code)
    assert isinstance(found, FileError)
    assert found.message == message


async def test_a_flat_copy_follows_links_and_forgets_the_execute_bit() -> None:
    same = 'path { path = /src/link; recursive = false; name = "n"; } == path { path = /src/a; recursive = false; name = "n"; }'
    assert await value(same)
    other = {"run": "#!"}
    flat = "path { path = /run; recursive = false; }"
    assert await value(flat.replace("/run", "/src/run")) == await value(flat, Memory(other))
    assert await value('"${/src/run}"') != await value('"${/run}"', Memory(other))


async def test_a_right_hash_is_accepted_in_any_spelling() -> None:
    for format in ("base16", "nix32", "base64", "sri"):
        code = f'convertHash {{ hash = hashFile "sha256" /src/a; hashAlgo = "sha256"; toHashFormat = "{format}"; }}'
        assert await value(f"isString (path {{ path = /src/a; recursive = false; sha256 = {code}; }})")
    assert isinstance(
        await error('path { path = /src/a; sha256 = hashFile "sha256" /src/a; }'), InvalidArgument
    )


async def test_store_paths_are_refused_in_pure_mode() -> None:
    evaluation = Evaluation.builder(Memory(TREE)).pure().build()
    [found] = (
        await evaluation.evaluate('builtins.storePath "/nix/store/ay9ng9qxpgvhwwsbbh1mcvdqn2kxvnj1-x"')
    ).errors
    assert isinstance(found, NotAvailable)
    assert found.message == "'builtins.storePath' is not allowed in pure evaluation mode"


async def test_a_link_into_the_store_is_a_store_path() -> None:
    path = "/nix/store/ay9ng9qxpgvhwwsbbh1mcvdqn2kxvnj1-x"
    io = Memory({"result": Symlink(path), "nix": {"store": {path.rpartition("/")[2]: {"bin": ""}}}})
    assert await value('storePath "/result"', io) == path
    assert await value('attrNames (getContext (storePath "/result/bin"))', io) == [path]


# -- laws

NAMES = st.sampled_from(["a", "b", "c.nix", "é", "-x", ".h", "long-name"])
LEAVES = st.one_of(
    st.text("xy\n", max_size=4),
    st.binary(max_size=4),
    st.text("xy", max_size=4).map(Executable),
    st.sampled_from(["a", "b/a", "../b", "nowhere"]).map(Symlink),
)
TREES = st.dictionaries(
    NAMES,
    st.recursive(LEAVES, lambda nodes: st.dictionaries(NAMES, nodes, max_size=4), max_leaves=8),
    max_size=5,
)


@settings(max_examples=40, deadline=None)
@given(tree=TREES)
async def test_a_filter_that_keeps_everything_changes_nothing(tree: Mapping[str, Node]) -> None:
    code = '[ "${/src}" (filterSource (p: t: true) /src) (path { path = /src; }) (path { path = "${/src}"; name = "src"; }) ]'
    paths = await value(code, Memory({"src": tree}))
    assert isinstance(paths, list)
    assert len(set(paths)) == 1


@settings(max_examples=40, deadline=None)
@given(tree=TREES, left_out=NAMES)
async def test_what_is_filtered_away_is_as_if_it_were_not_there(
    tree: Mapping[str, Node], left_out: str
) -> None:
    def without(node: Node) -> Node:
        if not isinstance(node, Mapping):
            return node
        return {name: without(each) for name, each in node.items() if name != left_out}

    filtered = await value(
        f'path {{ path = /src; filter = p: t: baseNameOf p != "{left_out}"; }}', Memory({"src": tree})
    )
    assert filtered == await value('"${/src}"', Memory({"src": without(tree)}))


def plant(tree: Mapping[str, Node], directory: DiskPath) -> None:
    directory.mkdir()
    for name, node in tree.items():
        place = directory / name
        if isinstance(node, Mapping):
            plant(node, place)
        elif isinstance(node, Symlink):
            place.symlink_to(node.target)
        else:
            content = node.content if isinstance(node, Executable) else node
            place.write_bytes(content.encode() if isinstance(content, str) else content)
            place.chmod(0o755 if isinstance(node, Executable) else 0o644)


@settings(max_examples=15, deadline=None)
@given(tree=TREES)
async def test_a_tree_has_one_derivation_wherever_it_lies(
    tree: Mapping[str, Node], tmp_path_factory: pytest.TempPathFactory
) -> None:
    root = tmp_path_factory.mktemp("tree")
    plant(tree, root / "src")
    code = '(derivation { name = "d"; system = "s"; builder = "b"; src = /src; }).drvPath'
    assert await value(code, Memory({"src": tree})) == await value(code, LocalDisk(root))
