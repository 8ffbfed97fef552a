"""NIX_PATH, `-I`, and how a name is found in them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aionix.errors import NixPathResolution
from aionix.store.virtual import VirtualStore
from aionix.vm.search_path import Entry, find_file, parse_search_path, split_nix_path
from aionix.vm.store_files import StoreFiles
from io_backends import Memory, Sealed, Symlink

IO = Memory({"np": {"lib": {"x.nix": ""}, "f": ""}, "over": {"f": ""}, "link": Symlink("np"), "d": {"f": {}}})


@pytest.mark.parametrize(
    ("text", "entries"),
    [
        ("", []),
        ("/a", ["/a"]),
        ("a=/tmp:b::/c:", ["a=/tmp", "b", "/c"]),
        ("n=https://example.org/x.tar.gz:b", ["n=https://example.org/x.tar.gz", "b"]),
        ("https://example.org:8080", ["https://example.org", "8080"]),
        ("n=channel:nixos-24.11:m=flake:nixpkgs", ["n=channel:nixos-24.11", "m=flake:nixpkgs"]),
        ("a=b=http://x:y", ["a=b=http://x", "y"]),
        ("gopher://x", ["gopher", "//x"]),
    ],
)
def test_nix_path_is_split_at_colons_outside_urls(text: str, entries: list[str]) -> None:
    assert split_nix_path(text) == entries


@given(st.lists(st.text("ab=/.", min_size=1)))
def test_splitting_undoes_joining(entries: list[str]) -> None:
    assert split_nix_path(":".join(entries)) == entries


@pytest.mark.parametrize(
    ("entry", "parsed"),
    [
        ("nixpkgs=/np", Entry("nixpkgs", "/np", "/np")),
        ("/np", Entry("", "/np", "/np")),
        ("np/lib", Entry("", "np/lib", "/cwd/np/lib")),
        ("a=b=c", Entry("a", "b=c", "/cwd/b=c")),
        ("=/np", Entry("", "/np", "/np")),
        ("a/b=.", Entry("a/b", ".", "/cwd/.")),
        ("x=https://example.org", Entry("x", "https://example.org", None)),
    ],
)
def test_relative_paths_begin_at_the_directory_given(entry: str, parsed: Entry) -> None:
    assert parse_search_path([entry], "/cwd") == [parsed]


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("entries", "name", "found"),
    [
        (["/np"], "f", "/np/f"),
        (["n=/np"], "n", "/np"),
        (["n=/np"], "n/", "/np"),
        (["n=/np"], "n/lib/x.nix", "/np/lib/x.nix"),
        (["n=/over", "n=/np"], "n/f", "/over/f"),
        (["n=/over", "n=/np"], "n/lib", "/np/lib"),
        (["n=/missing", "/np"], "lib", "/np/lib"),
        (["n=/link"], "n/lib", "/np/lib"),
        (["a/b=/np"], "a/b/f", "/np/f"),
        (["f=/over", "/np"], "f", "/over"),
        (["n=https://example.org", "n=/np"], "n", "/np"),
        (["/np"], "/f", "/np/f"),
    ],
)
async def test_the_first_entry_that_has_the_name_wins(entries: list[str], name: str, found: str) -> None:
    assert await find_file(IO, parse_search_path(entries, "/"), name) == found


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("entries", "name"),
    [
        ([], "f"),
        (["n=/np"], "np"),
        (["n=/np"], "n2"),
        (["n=/np"], "nx/f"),
        (["n/=/np"], "n/f"),
        (["/np/f"], "f"),
        (["/np"], "../over/f"),
        (["/np"], "f/x"),
        (["n=https://example.org"], "n"),
    ],
)
async def test_a_prefix_fits_whole_components_and_nothing_leads_out(entries: list[str], name: str) -> None:
    with pytest.raises(NixPathResolution) as caught:
        await find_file(IO, parse_search_path(entries, "/"), name)
    expected = f"file '{name}' was not found in the Nix search path (add it using $NIX_PATH or -I)"
    assert caught.value.message == expected


@pytest.mark.anyio
async def test_files_that_nix_brings_along_are_found_unless_an_entry_has_them() -> None:
    internal = StoreFiles(IO, VirtualStore(), {"fetchurl.nix": b"{ }"})
    assert await find_file(internal, [], "nix/fetchurl.nix") == "/__corepkgs__/fetchurl.nix"
    with pytest.raises(NixPathResolution, match="was not found"):
        await find_file(internal, [], "nix/else.nix")
    assert await find_file(IO, parse_search_path(["nix=/np"], "/"), "nix/f") == "/np/f"


@pytest.mark.anyio
async def test_an_empty_search_path_looks_at_nothing() -> None:
    with pytest.raises(NixPathResolution):
        await find_file(Sealed(), [], "nixpkgs")
