"""Where names are found: `Scope` asked directly, without any code."""

from aionix.bytecode.opcodes import Position
from aionix.compiler.scope import Scope


def nested(depth: int) -> list[Scope]:
    scopes = [Scope(None)]
    for _ in range(depth):
        scopes.append(Scope(scopes[-1]))
    return scopes


def test_an_unknown_name_is_neither_local_nor_upvalue() -> None:
    outer, inner = nested(1)
    assert inner.find("x") is None
    assert inner.upvalue("x") is None
    assert outer.upvalue("x") is None


def test_the_newest_local_hides_the_older() -> None:
    (scope,) = nested(0)
    old = scope.declare("x", 0)
    new = scope.declare("x", 1)
    assert scope.find("x") is new
    scope.hide(new)
    assert scope.find("x") is old


def test_a_hidden_local_can_be_revealed() -> None:
    (scope,) = nested(0)
    local = scope.declare("x", 0)
    scope.hide(local)
    assert scope.find("x") is None
    scope.reveal(local)
    assert scope.find("x") is local


def test_an_initialised_local_around_is_captured_from_the_stack() -> None:
    outer, inner = nested(1)
    outer.declare("x", 3, initialised=True)
    assert inner.upvalue("x") == 0
    assert inner.positions == [Position.stack(3)]


def test_a_local_not_filled_yet_is_captured_deferred() -> None:
    outer, inner = nested(1)
    outer.declare("x", 3)
    inner.upvalue("x")
    assert inner.positions == [Position.deferred(3)]


def test_every_frame_between_hands_the_upvalue_on() -> None:
    first, second, third, fourth = nested(3)
    first.declare("x", 5, initialised=True)
    assert fourth.upvalue("x") == 0
    positions = [second.positions, third.positions, fourth.positions]
    assert positions == [[Position.stack(5)], [Position.upvalue(0)], [Position.upvalue(0)]]


def test_a_name_is_captured_once() -> None:
    outer, inner = nested(1)
    outer.declare("x", 0, initialised=True)
    outer.declare("y", 1, initialised=True)
    assert [inner.upvalue(name) for name in "xyxy"] == [0, 1, 0, 1]
    assert len(inner.positions) == 2


def test_a_with_is_handed_on_from_the_outermost_inwards() -> None:
    first, second, third, fourth = (scopes := nested(0))[0], None, None, None
    first.withs = 1
    second = Scope(first)
    third = Scope(second)
    third.withs = 1
    fourth = Scope(third)
    fourth.capture_with()
    captures = [scope.captures_with for scope in (first, second, third, fourth)]
    assert captures == [False, True, True, True]
    assert scopes[0].has_with


def test_without_a_with_nothing_is_captured() -> None:
    outer, inner = nested(1)
    inner.capture_with()
    assert not inner.has_with
    assert (outer.captures_with, inner.captures_with) == (False, False)


def test_the_outermost_scope_has_the_upvalues_it_is_given() -> None:
    outer = Scope(None, ("a", "b"), captures_with=True)
    inner = Scope(outer)
    assert (outer.upvalue("b"), outer.upvalue("c")) == (1, None)
    assert inner.upvalue("b") == 0
    assert inner.positions == [Position.upvalue(1)]
    assert inner.has_with
