"""A commit of a git repository as a backend."""

from __future__ import annotations

import errno
import os
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
from dulwich.objects import S_IFGITLINK, Blob, Commit, ObjectID, ShaFile, Tag, Tree
from dulwich.refs import Ref
from dulwich.repo import Repo
from same_tree import TREE, evaluates_as_in_memory

from aionix.io import FileType
from io_backends import Executable, Git, Symlink, contract
from io_backends.memory import Node

pytestmark = pytest.mark.anyio


def stored(repo: Repo, node: Node) -> tuple[int, ObjectID]:
    """Puts a node of `Memory` into a repository."""
    made: ShaFile
    if isinstance(node, Mapping):
        mode, made = 0o040000, Tree()
        for name, inner in node.items():
            made.add(os.fsencode(name), *stored(repo, inner))
    elif isinstance(node, Symlink):
        mode, made = 0o120000, Blob.from_string(os.fsencode(node.target))
    else:
        content = node.content if isinstance(node, Executable) else node
        mode = 0o100755 if isinstance(node, Executable) else 0o100644
        made = Blob.from_string(content.encode() if isinstance(content, str) else content)
    repo.object_store.add_object(made)
    return mode, made.get_id(repo.object_format)


def commit(
    repo: Repo,
    tree: Mapping[str, Node] | ObjectID,
    ref: str = "refs/heads/main",
    parents: Sequence[ObjectID] = (),
) -> str:
    made = Commit()
    made.parents = list(parents)
    made.tree = tree if isinstance(tree, bytes) else stored(repo, tree)[1]
    made.author = made.committer = b"A <a@example.org>"
    made.author_time = made.commit_time = 1_000_000_000
    made.author_timezone = made.commit_timezone = 0
    made.message = b"message"
    repo.object_store.add_object(made)
    id = made.get_id(repo.object_format)
    repo.refs[Ref(ref.encode())] = id
    return id.decode()


def bare(path: Path, tree: Mapping[str, Node] = TREE, object_format: str = "sha1") -> Path:
    path.mkdir()
    with Repo.init_bare(path, default_branch=b"main", object_format=object_format) as repo:
        commit(repo, tree)
    return path


def packed(path: Path) -> Path:
    with Repo(path) as repo:
        repo.object_store.pack_loose_objects()
    return path


@pytest.mark.parametrize("check", contract.checks(), ids=str)
async def test_a_commit_keeps_the_contract(check: contract.Check, tmp_path: Path) -> None:
    path = bare(tmp_path / "it", check.tree)
    await check(lambda tree: Git(path))


@pytest.mark.parametrize("check", contract.checks(), ids=str)
async def test_a_packed_commit_keeps_the_contract(check: contract.Check, tmp_path: Path) -> None:
    path = packed(bare(tmp_path / "it", check.tree))
    await check(lambda tree: Git(path))


@pytest.mark.parametrize("object_format", ["sha1", "sha256"])
@pytest.mark.parametrize("pack", [bare, lambda *args: packed(bare(*args))], ids=["loose", "packed"])
async def test_an_evaluation_reads_a_commit_as_it_reads_the_same_tree_in_memory(
    tmp_path: Path, pack: object, object_format: str
) -> None:
    assert callable(pack)
    async with Git(pack(tmp_path / "it", TREE, object_format)) as io:
        await evaluates_as_in_memory(io, TREE)


async def refused(io: Git, code: int, words: str) -> None:
    """Every look fails, and says why."""
    for look in (io.read("/default.nix"), io.path_exists("/default.nix")):
        with pytest.raises(OSError, match=words) as caught:
            await look
        assert caught.value.errno == code
        assert caught.value.filename == "/default.nix"


def tag(repo: Repo, name: str, of: str) -> str:
    target = repo.object_store[ObjectID(of.encode())]
    made = Tag()
    made.name = name.encode()
    made.object = (type(target), target.id)
    made.tagger = b"A <a@example.org>"
    made.tag_time, made.tag_timezone, made.message = 1_000_000_000, 0, b"message"
    repo.object_store.add_object(made)
    repo.refs[Ref(f"refs/tags/{name}".encode())] = made.id
    return made.id.decode()


async def test_a_commit_goes_by_many_names(tmp_path: Path) -> None:
    with Repo.init_bare(tmp_path / "it", mkdir=True, default_branch=b"main") as repo:
        first = commit(repo, {"f": "1"})
        second = commit(repo, {"f": "2"})
        tag(repo, "twice", tag(repo, "annotated", first))
        repo.refs[Ref(b"refs/tags/light")] = ObjectID(first.encode())
        repo.refs[Ref(b"refs/remotes/origin/topic")] = ObjectID(first.encode())
    for ref in ("main", "HEAD", "refs/heads/main", "heads/main", second, second[:7]):
        async with Git(tmp_path / "it", ref) as io:
            assert (io.revision, await io.read("/f")) == (second, b"2")
    for ref in ("annotated", "twice", "light", "tags/light", "origin/topic", first, first[:4]):
        async with Git(tmp_path / "it", ref) as io:
            assert (io.revision, await io.read("/f")) == (first, b"1")


async def test_a_beginning_that_several_ids_have_is_refused(tmp_path: Path) -> None:
    with Repo.init_bare(tmp_path / "it", mkdir=True) as repo:
        seen: dict[str, str] = {}
        for number in range(2000):  # by the birthday paradox some 30 share four digits
            id = commit(repo, {"f": str(number)}, f"refs/heads/b{number}")
            if id[:4] in seen:
                break
            seen[id[:4]] = id
    await refused(Git(tmp_path / "it", id[:4]), errno.ENXIO, "2 commits have an id that begins")
    async with Git(tmp_path / "it", id[:12]) as io:
        assert io.revision == id


@pytest.mark.parametrize(
    "ref", ["no", "", "../../etc/passwd", "refs/heads/../x", "a b", "-x", "HEAD~1", "ü", "\udc80", "\0", "0" * 40, "beef"]
)
async def test_a_ref_that_is_not_there_is_no_missing_file(tmp_path: Path, ref: str) -> None:
    code = errno.EIO if ref == "0" * 40 else errno.ENXIO
    await refused(Git(bare(tmp_path / "it"), ref), code, "git: ")


async def test_a_repository_that_is_not_there_is_no_missing_file(tmp_path: Path) -> None:
    await refused(Git(tmp_path / "no"), errno.ENXIO, "no sound repository at")
    await refused(Git(tmp_path), errno.ENXIO, "no sound repository at")
    with pytest.raises(OSError, match="no sound repository"):
        await Git(tmp_path).__aenter__()


async def test_a_tree_is_no_commit(tmp_path: Path) -> None:
    with Repo.init_bare(tmp_path / "it", mkdir=True) as repo:
        tree = stored(repo, {"f": ""})[1].decode()
    await refused(Git(tmp_path / "it", tree), errno.ENXIO, "leads to no commit")


async def test_a_clone_with_a_working_tree_is_as_good(tmp_path: Path) -> None:
    (tmp_path / "it").mkdir()
    with Repo.init(tmp_path / "it", default_branch=b"main") as repo:
        commit(repo, TREE)
    (tmp_path / "it" / "default.nix").write_text("not this")
    async with Git(tmp_path / "it") as io:
        await evaluates_as_in_memory(io, TREE)


async def test_what_is_pushed_later_is_not_seen(tmp_path: Path) -> None:
    async with Git(bare(tmp_path / "it", {"f": "old"}), "main") as io:
        with Repo(tmp_path / "it") as repo:
            commit(repo, {"f": "new"})
        assert await io.read("/f") == b"old"
        async with Git(tmp_path / "it", "main") as newer:
            assert await newer.read("/f") == b"new"


async def test_the_revision_is_known_after_the_first_look(tmp_path: Path) -> None:
    io = Git(bare(tmp_path / "it"))
    with pytest.raises(RuntimeError, match="once"):
        _ = io.revision
    await io.path_exists("/")
    assert len(io.revision) == 40


async def test_a_submodule_is_unknown_and_says_what_it_is(tmp_path: Path) -> None:
    with Repo.init_bare(tmp_path / "it", mkdir=True, default_branch=b"main") as repo:
        tree = Tree()
        tree.add(b"sub", S_IFGITLINK, ObjectID(b"1" * 40))
        repo.object_store.add_object(tree)
        commit(repo, tree.id)
    async with Git(tmp_path / "it") as io:
        assert await io.read_dir("/") == {"sub": FileType.UNKNOWN}
        assert await io.file_type("/sub") is FileType.UNKNOWN
        for look in (io.read("/sub"), io.read_dir("/sub"), io.read("/sub/f"), io.path_exists("/sub/f")):
            with pytest.raises(OSError, match="submodule") as caught:
                await look
            assert caught.value.errno == errno.EINVAL


@pytest.mark.parametrize("name", [b"..", b".", b"", b"a/b"])
async def test_a_tree_with_names_that_lead_out_is_damaged(tmp_path: Path, name: bytes) -> None:
    with Repo.init_bare(tmp_path / "it", mkdir=True, default_branch=b"main") as repo:
        id = stored(repo, "x")[1]
        tree = Tree.from_string(b"100644 " + name + b"\0" + bytes.fromhex(id.decode()))
        repo.object_store.add_object(tree)
        commit(repo, tree.id)
    await refused(Git(tmp_path / "it"), errno.EIO, "is damaged")


def objects(path: Path) -> list[Path]:
    return [each for each in (path / "objects").rglob("*") if each.is_file()]


async def test_damaged_and_missing_objects_are_noticed(tmp_path: Path) -> None:
    with Repo(bare(tmp_path / "it", {"f": "x" * 100, "g": "y"})) as repo:
        blob = stored(repo, "x" * 100)[1].decode()
    path = tmp_path / "it" / "objects" / blob[:2] / blob[2:]
    path.chmod(0o644)
    original = path.read_bytes()
    other = zlib.compress(b"blob 100\0" + b"z" * 100)
    for damaged in (b"", b"no zlib", original[:-20], other, zlib.compress(b"blob 7\0x")):
        path.write_bytes(damaged)
        async with Git(tmp_path / "it") as io:
            with pytest.raises(OSError, match="is damaged") as caught:
                await io.read("/f")
            assert caught.value.errno == errno.EIO
            assert await io.read("/g") == b"y"
    path.unlink()
    with pytest.raises(OSError, match="is missing"):
        await Git(tmp_path / "it").read("/f")


async def test_a_damaged_pack_is_noticed_wherever_it_is(tmp_path: Path) -> None:
    packed(bare(tmp_path / "it", {"f": "x" * 100, "g": {"h": "y"}}))
    (pack,) = [each for each in objects(tmp_path / "it") if each.suffix == ".pack"]
    pack.chmod(0o644)
    original = pack.read_bytes()
    for at in range(0, len(original), 11):
        pack.write_bytes(original[:at] + bytes([original[at] ^ 0x55]) + original[at + 1 :])
        try:
            async with Git(tmp_path / "it") as io:
                assert await io.read("/f") == b"x" * 100
                assert await io.read("/g/h") == b"y"
        except OSError as error:
            assert error.errno in (errno.EIO, errno.ENXIO)


async def test_a_file_that_is_too_large_is_refused(tmp_path: Path) -> None:
    async with Git(bare(tmp_path / "it", {"f": "x" * 5000, "g": ""}), max_file_size=4000) as io:
        with pytest.raises(OSError, match="more than 4000 bytes") as caught:
            await io.read("/f")
        assert caught.value.errno == errno.EFBIG
        assert await io.read("/g") == b""


async def test_trees_are_kept_up_to_a_number_of_entries(tmp_path: Path) -> None:
    tree: dict[str, Node] = {f"d{number}": {"f": str(number), "g": ""} for number in range(30)}
    async with Git(bare(tmp_path / "it", tree), max_cached_entries=10) as io:
        for _ in range(2):
            for number in range(30):
                assert await io.read(f"/d{number}/f") == str(number).encode()
