"""Derivations as data: JSON as C++ Nix 2.26.3 shows it, and the store that instantiates them."""

from __future__ import annotations

import json

import pytest

from aionix.errors import ContextError, InvalidArgument
from aionix.store import Derivation, Output, VirtualStore, Wanted
from aionix.store.derivation import in_order

# What `nix derivation show` printed, less the braces around it.
SHOWN = {
    Output("/nix/store/mmbxh4cr14mf4b8mx1kj4zzzgq8dr3s7-s"): {
        "path": "/nix/store/mmbxh4cr14mf4b8mx1kj4zzzgq8dr3s7-s"
    },
    Output(): {},
    Output("/nix/store/n67lcg14n0q7xc51d5sm6j6i40kpnvfk-t", "text:sha256", "2d71"): {
        "hash": "2d71",
        "hashAlgo": "sha256",
        "method": "text",
        "path": "/nix/store/n67lcg14n0q7xc51d5sm6j6i40kpnvfk-t",
    },
    Output("/nix/store/0wz4lz2ywmrqznrvy166fq0xngpb91n7-flat.tar.gz", "sha1", "00"): {
        "hash": "00",
        "hashAlgo": "sha1",
        "method": "flat",
        "path": "/nix/store/0wz4lz2ywmrqznrvy166fq0xngpb91n7-flat.tar.gz",
    },
    Output("", "git:sha1"): {"hashAlgo": "sha1", "method": "git"},
    Output("", "r:sha256", "impure"): {"hashAlgo": "sha256", "impure": True, "method": "nar"},
}


@pytest.mark.parametrize(("output", "shown"), SHOWN.items())
def test_an_output_is_shown_as_nix_shows_it(output: Output, shown: dict[str, object]) -> None:
    described = Derivation("x", {"out": output}).to_json()["outputs"]
    assert json.dumps(described) == json.dumps({"out": shown})


def test_a_derivation_is_shown_with_its_keys_in_order() -> None:
    derivation = Derivation(
        "x",
        {"out": Output(), "dev": Output()},
        {"/nix/store/b.drv": Wanted(frozenset({"out", "bin"})), "/nix/store/a.drv": Wanted(dynamic={"o": Wanted(frozenset({"p"}))})},
        {"/nix/store/z", "/nix/store/y"},
        "x86_64-linux",
        "/bin/sh",
        ["-c", "true"],
        {"é": "1", "z": "2", "A": "3"},
    )  # fmt: skip
    assert json.dumps(derivation.to_json(), ensure_ascii=False) == json.dumps(
        {
            "args": ["-c", "true"],
            "builder": "/bin/sh",
            "env": {"A": "3", "z": "2", "é": "1"},
            "inputDrvs": {
                "/nix/store/a.drv": {"dynamicOutputs": {"o": {"dynamicOutputs": {}, "outputs": ["p"]}}, "outputs": []},
                "/nix/store/b.drv": {"dynamicOutputs": {}, "outputs": ["bin", "out"]},
            },
            "inputSrcs": ["/nix/store/y", "/nix/store/z"],
            "name": "x",
            "outputs": {"dev": {}, "out": {}},
            "system": "x86_64-linux",
        },
        ensure_ascii=False,
    )


def test_names_are_ordered_by_their_bytes() -> None:
    assert in_order(["\udcff", "é", "b", "￿", "\U00010000"]) == ["b", "é", "￿", "\U00010000", "\udcff"]


def plain(name: str, *outputs: str) -> Derivation:
    """As `derivation { name; system = "s"; builder = "b"; }` makes it."""
    environment = {"name": name, "system": "s", "builder": "b"}
    if outputs:
        environment["outputs"] = " ".join(outputs)
    return Derivation(
        name,
        dict.fromkeys(outputs or ["out"], Output()),
        system="s",
        builder="b",
        environment=environment,
    )


def test_instantiating_computes_the_paths_of_nix() -> None:
    store = VirtualStore()
    path = store.instantiate(plain("a", "out", "dev"))
    assert path == "/nix/store/c3vjpd08x2wgxxgkvran4kip7a97c05a-a.drv"
    assert store.maker(store.output(path, "dev")) == path
    assert store.derivations[path].environment["dev"] == store.output(path, "dev")
    with pytest.raises(ContextError):
        store.output(path, "lib")


def test_outputs_stay_open_until_their_inputs_contents_are_known() -> None:
    store = VirtualStore()
    floating = plain("ca")
    floating.outputs["out"] = Output("", "r:sha256")
    needed = store.instantiate(floating)
    user = plain("user")
    user.input_derivations[needed] = Wanted(frozenset({"out"}))
    path = store.instantiate(user)
    assert store.derivations[path].outputs == {"out": Output()}
    assert store.output(path, "out").startswith("/")
    assert not store.output(path, "out").startswith("/nix")


def test_how_a_fixed_output_is_fetched_does_not_change_what_is_built_from_it() -> None:
    store = VirtualStore()
    built = []
    for url in ("a", "b"):
        source = plain("src")
        source.environment["url"] = url
        source.outputs["out"] = Output("/nix/store/0wz4lz2ywmrqznrvy166fq0xngpb91n7-src", "sha1", "00" * 20)
        user = plain("user")
        user.input_derivations[store.instantiate(source)] = Wanted(frozenset({"out"}))
        built.append(store.instantiate(user))
    assert built[0] != built[1]
    assert store.output(built[0], "out") == store.output(built[1], "out")


def test_an_output_that_an_input_does_not_have_is_refused() -> None:
    store = VirtualStore()
    user = plain("user")
    user.input_derivations[store.instantiate(plain("a"))] = Wanted(frozenset({"lib"}))
    with pytest.raises(InvalidArgument, match="no hash for output 'lib' of derivation 'user"):
        store.instantiate(user)
