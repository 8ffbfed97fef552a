"""Why two derivations differ."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aionix.errors import FileError
from aionix.store import Derivation, Difference, Output, VirtualStore, Wanted
from aionix.store.difference import Change, difference


class Shop:
    """Makes derivations, which mention their inputs in a variable each."""

    def __init__(self) -> None:
        self.store = VirtualStore()

    def make(self, name: str, *needs: str, fixed: str = "", arguments: tuple[str, ...] = (), **variables: str) -> str:
        environment = {"name": name, **variables}
        derivation = Derivation(name, {"out": Output()}, system="s", builder="b", environment=environment)
        derivation.arguments = list(arguments)
        if fixed:
            derivation.outputs = {"out": Output(f"/nix/store/{fixed * 32}-{name}", "sha256", "00" * 32)}
        for index, path in enumerate(needs):
            environment[f"need{index}"] = path
            if path in self.store.derivations:
                derivation.input_derivations[path] = Wanted(frozenset({"out"}))
                environment[f"need{index}"] = f"{self.store.output(path, 'out')}/bin"
            else:
                derivation.input_sources.add(path)
        return self.store.instantiate(derivation)

    def difference(self, left: str, right: str) -> Difference:
        found = self.store.difference(left, right)
        assert found is not None
        return found

    def told(self, left: str, right: str) -> list[str]:
        return str(self.difference(left, right)).splitlines()


def causes(found: Difference) -> list[tuple[str, list[str]]]:
    return [(way[-1].name, [change.what for change in way[-1].changes]) for way in found.causes()]


def test_what_is_the_same_has_no_difference() -> None:
    shop, other = Shop(), Shop()
    path = shop.make("a")
    assert shop.store.difference(path, path) is None
    assert difference(shop.store, path, other.store, other.make("a")) is None


def test_a_path_that_is_not_known_is_an_error() -> None:
    shop = Shop()
    path = shop.make("a")
    for left, right in ((path, "/nix/store/x.drv"), ("/nix/store/x.drv", path)):
        with pytest.raises(FileError, match="is not valid"):
            shop.store.difference(left, right)


def test_variables_that_are_added_removed_or_changed_are_told_one_by_one() -> None:
    shop = Shop()
    found = shop.difference(shop.make("a", x="1", y="1", z="1"), shop.make("a", x="1", y="2", w="1"))
    assert found.changes == [
        Change("variable 'y'", "1", "2"),
        Change("variable 'z'", "1", None),
        Change("variable 'w'", None, "1"),
    ]


def test_name_system_builder_and_arguments_are_told() -> None:
    shop = Shop()
    left = shop.make("a-1", arguments=("-c", "x"))
    other = Derivation("a-2", {"out": Output(), "dev": Output()}, {}, set(), "t", "c", ["-c", "y", "z"], {"name": "a-2"})
    assert shop.difference(left, shop.store.instantiate(other)).changes == [
        Change("name", "a-1", "a-2"),
        Change("system", "s", "t"),
        Change("output 'dev'", None, "addressed by the inputs"),
        Change("builder", "b", "c"),
        Change("argument 2", "x", "y"),
        Change("argument 3", None, "z"),
    ]


def test_what_follows_from_an_input_is_told_there_only() -> None:
    shop = Shop()
    tops = [shop.make("top", shop.make("middle", shop.make("low", flag=flag)), x="1") for flag in "ab"]
    found = shop.difference(*tops)
    assert causes(found) == [("low", ["variable 'flag'"])]
    assert (found.changes, [each.name for each in found.inputs]) == ([], ["middle"])


def test_changes_beside_those_of_inputs_are_causes_too_the_nearest_first() -> None:
    shop = Shop()
    tops = [shop.make("top", shop.make("middle", shop.make("low", f=flag)), f=flag) for flag in "ab"]
    assert causes(shop.difference(*tops)) == [("top", ["variable 'f'"]), ("low", ["variable 'f'"])]


def test_a_pair_that_is_met_twice_is_one() -> None:
    shop = Shop()
    tops = []
    for flag in "ab":
        low = shop.make("low", flag=flag)
        tops.append(shop.make("top", shop.make("left", low), shop.make("right", low)))
    found = shop.difference(*tops)
    left, right = found.inputs
    assert left.inputs[0] is right.inputs[0]
    assert causes(found) == [("low", ["variable 'flag'"])]


def test_inputs_correspond_without_their_versions() -> None:
    shop = Shop()
    tops = []
    for version in ("2.9", "2.10rc1"):
        tarball = shop.make(f"hello-{version}.tar.gz")
        tops.append(shop.make("top", shop.make(f"hello-{version}", tarball), tarball))
    assert causes(shop.difference(*tops)) == [("hello-2.10rc1", ["name"]), ("hello-2.10rc1.tar.gz", ["name"])]


def test_inputs_of_one_name_correspond_by_where_they_are_mentioned() -> None:
    shop = Shop()
    ones = [shop.make("patch", n="1"), shop.make("patch", n="2")]
    for others in ([shop.make("patch", n="1x"), shop.make("patch", n="2x")],):
        found = shop.difference(shop.make("top", *ones), shop.make("top", *others))
    pairs = [(way[-1].left, way[-1].right) for way in found.causes()]
    assert pairs == list(zip(ones, others, strict=True))


def test_inputs_that_change_places_are_told() -> None:
    shop = Shop()
    a, b = shop.make("a"), shop.make("b")
    assert causes(shop.difference(shop.make("top", a, b), shop.make("top", b, a))) == [
        ("top", ["variable 'need0'", "variable 'need1'"])
    ]


def test_inputs_and_sources_on_one_side_only_are_told_before_variables() -> None:
    shop = Shop()
    low, text = shop.make("low"), shop.store.add_text("script", b"echo")
    found = shop.difference(shop.make("top"), shop.make("top", low, text))
    assert [change.what for change in found.changes] == [
        "input 'low'",
        "source 'script'",
        "variable 'need0'",
        "variable 'need1'",
    ]


def test_texts_of_one_name_are_compared_by_what_is_in_them() -> None:
    shop = Shop()
    tops = [shop.make("top", shop.store.add_text("script", text)) for text in (b"echo 1\n", b"echo 2\n")]
    assert shop.difference(*tops).changes == [Change("source 'script'", "echo 1\n", "echo 2\n")]


def test_other_outputs_of_an_input_are_told() -> None:
    shop = Shop()
    low = shop.make("low")
    left, right = shop.make("top", low), Derivation("top", {"out": Output()}, system="s", builder="b")
    right.input_derivations[low] = Wanted(frozenset({"out"}), {"out": Wanted(frozenset({"x"}))})
    right.environment = dict(shop.store.derivations[left].environment)
    path = shop.store.add_derivation(right)
    assert Change("outputs of input 'low'", "out", "out out^(x)") in shop.difference(left, path).changes


def test_structured_attributes_are_compared_one_by_one() -> None:
    shop = Shop()
    left = shop.make("a", __json='{"name":"a","x":{"y":[1]},"s":"t"}')
    right = shop.make("a", __json='{"name":"a","x":{"y":[2]},"s":"t"}')
    changes = shop.difference(left, right).changes
    assert changes == [Change("variable 'x'", '{\n "y": [\n  1\n ]\n}', '{\n "y": [\n  2\n ]\n}')]
    for text in ("[]", "{", "[" * 100_000, '{"x":' + "9" * 5000 + "}"):
        assert causes(shop.difference(left, shop.make("a", __json=text)))


def test_what_makes_the_same_outputs_comes_last_and_says_so() -> None:
    shop = Shop()
    tops = [shop.make("top", shop.make("src", fixed="0", url=flag), shop.make("z", f=flag)) for flag in "ab"]
    found = shop.difference(*tops)
    assert causes(found) == [("z", ["variable 'f'"]), ("src", ["variable 'url'"])]
    assert [each.same_outputs for each in found.inputs] == [True, False]
    only = [shop.make("top", shop.make("src", fixed="0", url=flag)) for flag in "ab"]
    assert shop.told(*only)[0] == "top differs because of its input src (variable 'url'); the outputs are the same"


def test_a_difference_is_told_from_the_most_important_on() -> None:
    shop = Shop()
    lows = [shop.make("bash-4.3", shell=flag) for flag in "ab"]
    tops = [shop.make("hello", shop.make("stdenv", low)) for low in lows]
    assert shop.told(*tops) == [
        "hello differs because of its input stdenv, that because of bash-4.3 (variable 'shell')",
        "",
        "bash-4.3, needed by stdenv, needed by hello",
        f"  - {lows[0]}",
        f"  + {lows[1]}",
        "  variable 'shell':",
        "    - a",
        "    + b",
    ]
    assert shop.told(*lows)[0] == "bash-4.3 differs (variable 'shell')"
    assert shop.told(lows[0], shop.make("bash-4.3"))[-1] == "  variable 'shell' removed: a"


def shown(left: str, right: str) -> list[str]:
    shop = Shop()
    return shop.told(shop.make("a", v=left), shop.make("a", v=right))[6:]


def test_of_long_values_the_part_that_differs_is_shown() -> None:
    words = " ".join(map(str, range(1000)))
    assert shown(words, words.replace(" 500 ", " five ")) == [
        "    - …2 493 494 495 496 497 498 499 500 501 502 503 504 505 506 507 5…",
        "    + …2 493 494 495 496 497 498 499 five 501 502 503 504 505 506 507 5…",
    ]
    script = "\n".join(map(str, range(1000)))
    assert shown(script, script.replace("\n500\n", "\nx\ny\n")) == ["    - 500", "    + x", "    + y"]
    assert shown(script, "0") == ["    - 1", "    - 2", "    - 3", "    - 4", "    - ... and 995 more lines"]


def test_control_characters_do_nothing_to_a_terminal() -> None:
    assert shown("a\x1b[31m", "b\x00"[:1]) == ["    - a\\x1b[31m", "    + b"]


def test_paths_of_inputs_that_correspond_are_not_what_differs() -> None:
    shop = Shop()
    outs, tops = [], []
    for flag in "ab":
        low = shop.make("low", f=flag)
        out = shop.store.output(low, "out")
        outs.append(out)
        tops.append(shop.make("top", low, v=f"{out}/x {flag} {out[11:]} {out}"))
    changes = shop.difference(*tops).changes
    assert changes == [Change("variable 'v'", "/nix/store/…-low/x a …-low /nix/store/…-low", "/nix/store/…-low/x b …-low /nix/store/…-low")]  # fmt: skip


def test_causes_changes_and_ways_that_are_many_are_counted() -> None:
    shop = Shop()
    tops = []
    for flag in "ab":
        path = shop.make("low", **{f"v{index}": flag for index in range(20)})
        for index in range(10):
            path = shop.make(f"m{index}", path)
        tops.append(shop.make("top", path, *[shop.make(f"x{index}", f=flag) for index in range(10)]))
    told = shop.told(*tops)
    assert told[-1] == "... and 6 more causes"
    low = shop.difference(*(next(path for path in shop.store.graph([top]).order() if "-low" in path) for top in tops))
    assert str(low).splitlines()[-1] == "  ... and 8 more changes"
    deep = [shop.make("end", *[p for p in shop.store.derivations[top].input_derivations if "-m9" in p]) for top in tops]
    assert shop.told(*deep)[2] == "low, needed by m0, needed by m1, needed by m2, needed by 6 others, needed by m9, needed by end"


def test_a_thousand_derivations_are_compared_in_a_second() -> None:
    shop = Shop()
    tops = []
    for flag in "ab":
        layer = [shop.make("low", f=flag)]
        for level in range(100):
            layer = [shop.make(f"n{level}-{index}x", *layer) for index in range(10)]
        tops.append(shop.make("top", *layer))
    start = time.perf_counter()
    found = shop.difference(*tops)
    assert causes(found) == [("low", ["variable 'f'"])]
    assert time.perf_counter() - start < 5  # seconds; about 0.3 on a machine of 2024


def test_a_chain_of_many_is_no_deeper_than_one() -> None:
    shop = Shop()
    tops = []
    for flag in "ab":
        path = shop.make("low", f=flag)
        for _ in range(5000):
            path = shop.make("link", path)
        tops.append(path)
    assert causes(shop.difference(*tops)) == [("low", ["variable 'f'"])]


values = st.text("ab\0\n \x1b…\udcff/-0") | st.sampled_from(["{}", '{"a":1}', "/nix/store/" + "0" * 32 + "-x"])
variables = st.dictionaries(st.sampled_from(["a", "b", "__json", "out", "name"]), values)


@given(variables, variables, st.lists(values, max_size=3), st.lists(values, max_size=3), values)
def test_every_difference_is_found_and_told(
    left: dict[str, str], right: dict[str, str], ours: list[str], theirs: list[str], builder: str
) -> None:
    store = VirtualStore()
    one = store.instantiate(Derivation("x", {"out": Output()}, builder="b", arguments=ours, environment=left))
    two = store.instantiate(Derivation("x", {"out": Output()}, builder=builder, arguments=theirs, environment=right))
    found = store.difference(one, two)
    assert (found is None) == (one == two)
    if found is not None:
        assert found.changes
        assert str(found).startswith("x differs (")
        assert not set(str(found)) & set("\0\x1b")
