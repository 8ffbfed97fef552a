"""The graph of what derivations need."""

from __future__ import annotations

from itertools import pairwise

from aionix.store import Derivation, Graph, Output, VirtualStore, Wanted
from aionix.store.graph import Edge


class Shop:
    """Makes derivations that need each other."""

    def __init__(self) -> None:
        self.store = VirtualStore()

    def make(self, name: str, *needs: str, outputs: tuple[str, ...] = ("out",)) -> str:
        derivation = Derivation(name, dict.fromkeys(outputs, Output()))
        for path in needs:
            if path in self.store.derivations:
                derivation.input_derivations[path] = Wanted(frozenset(self.store.derivations[path].outputs))
            else:
                derivation.input_sources.add(path)
        return self.store.instantiate(derivation)


def diamond() -> tuple[VirtualStore, str, str, str, str, str]:
    shop = Shop()
    text = shop.store.add_text("script", b"echo")
    base = shop.make("base", text, outputs=("out", "dev"))
    left, right = shop.make("left", base), shop.make("right", base)
    return shop.store, text, base, left, right, shop.make("top", left, right)


def test_what_a_derivation_needs_is_found_once() -> None:
    store, text, base, left, right, top = diamond()
    graph = store.graph([top])
    assert graph.requisites(top) == {top, left, right, base, text}
    assert sorted(graph.references(top)) == sorted([left, right])
    assert graph.roots == [top]


def test_what_needs_a_derivation_is_found() -> None:
    store, text, base, left, right, top = diamond()
    graph = store.graph()
    assert sorted(graph.referrers(base)) == sorted([left, right])
    assert graph.dependants(left) == {left, top}
    assert graph.dependants(text) == {text, base, left, right, top}


def test_a_graph_has_what_its_roots_need_and_no_more() -> None:
    store, text, base, left, right, _ = diamond()
    assert set(store.graph([left]).paths) == {left, base, text}
    assert right in store.graph().paths


def test_in_order_everything_comes_after_what_it_needs() -> None:
    store, *_ = diamond()
    graph = store.graph()
    order = graph.order()
    assert sorted(order) == sorted(graph.paths)
    assert all(order.index(edge.used) < order.index(edge.user) for edge in graph.edges)


def test_json_has_nodes_and_edges() -> None:
    store, text, base, left, _, _ = diamond()
    assert store.graph([left]).to_json() == {
        "nodes": sorted(
            [
                {"path": text, "name": "script", "kind": "source"},
                {"path": base, "name": "base.drv", "kind": "derivation"},
                {"path": left, "name": "left.drv", "kind": "derivation"},
            ],
            key=lambda node: node["path"],
        ),
        "edges": sorted(
            [
                {"from": base, "to": text, "outputs": []},
                {"from": left, "to": base, "outputs": ["dev", "out"]},
            ],
            key=lambda edge: str(edge["from"]),
        ),
    }


def test_the_picture_of_a_graph_is_always_the_same() -> None:
    store, text, base, left, _, _ = diamond()
    lines = store.graph([left]).to_dot().splitlines()
    names = {path: path.rpartition("/")[2] for path in (text, base, left)}
    assert lines[:3] == ["digraph derivations {", "  rankdir = LR;", "  node [shape = box];"]
    assert lines[3:6] == sorted(
        [
            f'  "{names[text]}" [label = "script", shape = note];',
            f'  "{names[base]}" [label = "base.drv"];',
            f'  "{names[left]}" [label = "left.drv"];',
        ]
    )
    assert sorted(lines[6:8]) == sorted(
        [
            f'  "{names[text]}" -> "{names[base]}";',
            f'  "{names[base]}" -> "{names[left]}" [label = "dev out"];',
        ]
    )
    assert lines[8:] == ["}"]


def test_names_are_quoted_for_graphviz() -> None:
    graph = Graph(["a", "b"], ["a", "b"], [Edge("a", "b", ('o"\\\n',))])
    assert '[label = "o\\"\\\\\\n"]' in graph.to_dot()


def test_a_chain_of_100_000_is_no_deeper_than_one() -> None:
    paths = [f"/nix/store/{index:06}" for index in range(100_000)]
    graph = Graph(paths, paths, [Edge(user, used) for used, user in pairwise(paths)])
    assert graph.order() == paths
    assert len(graph.requisites(paths[-1])) == len(graph.dependants(paths[0])) == 100_000
    assert graph.roots == paths[-1:]
    assert len(graph.to_dot().splitlines()) == 200_003
