"""Functions of the embedding program that Nix code calls."""

from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass

import anyio
import pytest
from anyio.lowlevel import checkpoint

import aionix
from aionix import Evaluation
from aionix.builtins.registry import Spec
from aionix.errors import (
    BuiltinFailed,
    ConversionError,
    InfiniteRecursion,
    Throw,
    TypeMismatch,
    UndefinedVariable,
)
from io_backends import Memory, Sealed

pytestmark = pytest.mark.anyio

NAME: ContextVar[str] = ContextVar("NAME", default="nobody")


@aionix.builtin
def join(separator: str, parts: list[object], last: str) -> str:
    """Joins parts."""
    return separator.join([*map(str, parts), last])


@aionix.builtin(name="laterDouble")
async def later_double(number: int) -> int:
    await anyio.sleep(0.001)
    return 2 * number


@aionix.builtin
def fail(reason: str) -> None:
    raise LookupError(reason)


@aionix.builtin(name="failLater")
async def fail_later(reason: str) -> None:
    await checkpoint()
    raise LookupError(reason)


async def value_of(code: str, *specs: Spec) -> object:
    evaluation = Evaluation.builder(Sealed()).builtins(*specs).mode("strict").build()
    return (await evaluation.evaluate(code)).unwrap().to_python()


async def test_plain_and_async_functions_are_called_alike() -> None:
    code = 'join ":" (map laterDouble [ 1 2 ]) "end"'
    assert await value_of(code, join, later_double) == "2:4:end"


async def test_they_are_builtins_and_variables_and_can_be_applied_in_part() -> None:
    code = '[ (builtins.typeOf builtins.join) (builtins ? laterDouble) ((join "-") [ 1 ] "x") ]'
    assert await value_of(code, join, later_double) == ["lambda", True, "1-x"]


async def test_they_may_replace_builtins() -> None:
    @aionix.builtin(name="readFile")
    def read_file(path: object) -> str:
        return f"mine: {path}"

    assert await value_of("builtins.readFile /etc/passwd", read_file) == "mine: /etc/passwd"


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("laterDouble 1.5", "expected an integer but found a float: 1.5"),
        ('laterDouble "1"', 'expected an integer but found a string: "1"'),
        ("laterDouble true", "expected an integer but found a Boolean: true"),
        ("join 1 [ ] null", "expected a string but found an integer: 1"),
        ('join "" { } ""', "expected a list but found a set: { }"),
    ],
)
async def test_arguments_are_checked_as_annotated(code: str, message: str) -> None:
    with pytest.raises(TypeMismatch) as caught:
        await value_of(code, join, later_double)
    assert caught.value.message == message


async def test_arguments_without_annotation_are_any_data() -> None:
    @aionix.builtin
    def same(value):  # type: ignore[no-untyped-def]  # as people write them
        return value

    assert await value_of("same { a = [ 1 null ]; }", same) == {"a": [1, None]}
    with pytest.raises(ConversionError):
        await value_of("same (x: x)", same)


async def test_an_integer_will_do_for_a_float() -> None:
    @aionix.builtin
    def half(number: float) -> float:
        return number / 2

    assert await value_of("[ (half 1) (half 1.5) ]", half) == [0.5, 0.75]


async def test_results_are_any_data() -> None:
    @dataclass
    class Point:
        x: int
        y: int

    @aionix.builtin
    def point(x: int) -> Point:
        return Point(x, -x)

    assert await value_of("(point 1).y", point) == -1


@pytest.mark.parametrize("result", [object(), 2**70, "a\0b", {1: 2}])
async def test_a_result_that_is_no_data_is_an_error(result: object) -> None:
    @aionix.builtin
    def give(_: object) -> object:
        return result

    with pytest.raises(ConversionError):
        await value_of("give null", give)


@pytest.mark.parametrize("name", ["fail", "failLater"])
async def test_what_a_function_raises_is_the_cause(name: str) -> None:
    with pytest.raises(BuiltinFailed) as caught:
        await value_of(f'{name} "why"', fail, fail_later)
    assert caught.value.message == f"the builtin '{name}' failed: LookupError: why"
    assert isinstance(caught.value.__cause__, LookupError)
    assert (caught.value.code, caught.value.span is not None) == ("E048", True)


async def test_the_cause_is_there_however_often_the_value_is_asked_for() -> None:
    evaluation = Evaluation.builder(Memory({"a.nix": 'builtins.fail "why"'})).builtins(fail).build()
    for _ in range(3):
        error = (await evaluation.evaluate_file("/a.nix")).errors[0]
        assert isinstance(error.__cause__, LookupError)


async def test_a_failure_is_not_for_tryeval_but_a_throw_is() -> None:
    @aionix.builtin
    def refuse(reason: str) -> None:
        raise Throw(reason)

    with pytest.raises(BuiltinFailed):
        await value_of('builtins.tryEval (fail "why")', fail)
    assert await value_of('(builtins.tryEval (refuse "why")).success', refuse) is False


@pytest.mark.parametrize("count", [0, 4])
async def test_one_to_three_parameters(count: int) -> None:
    functions: dict[int, Callable[..., object]] = {0: lambda: 1, 4: lambda a, b, c, d: 1}
    with pytest.raises(TypeError, match="one to three"):
        aionix.builtin(functions[count])


async def test_context_variables_are_those_of_the_caller() -> None:
    @aionix.builtin
    async def who(_: object) -> str:
        await checkpoint()
        return NAME.get()

    evaluation = Evaluation.builder(Sealed()).builtins(who).build()
    seen: dict[str, object] = {}

    async def ask(name: str) -> None:
        NAME.set(name)
        seen[name] = (await evaluation.evaluate("builtins.who null")).unwrap().to_python()

    async with anyio.create_task_group() as group:
        for name in ("ann", "ben", "cid"):
            group.start_soon(ask, name)
    assert seen == {name: name for name in ("ann", "ben", "cid")}


async def test_a_deadline_inside_a_function_is_its_own() -> None:
    @aionix.builtin
    async def patient(_: object) -> str:
        with anyio.move_on_after(0.005):
            await anyio.sleep(10)
        return "went on"

    @aionix.builtin
    async def strict(_: object) -> str:
        with anyio.fail_after(0.005):
            await anyio.sleep(10)
        return "never"

    assert await value_of("patient null", patient) == "went on"
    with pytest.raises(BuiltinFailed, match="TimeoutError"):
        await value_of("strict null", strict)


async def test_a_deadline_around_an_evaluation_reaches_the_function() -> None:
    ended: list[str] = []

    @aionix.builtin
    async def forever(_: object) -> None:
        try:
            await anyio.sleep_forever()
        finally:
            ended.append("cleaned up")

    evaluation = Evaluation.builder(Sealed()).builtins(forever).build()
    with anyio.move_on_after(0.005) as scope:
        await evaluation.evaluate("builtins.forever null")
    assert scope.cancelled_caught and ended == ["cleaned up"]
    assert (await evaluation.evaluate("1")).unwrap().to_python() == 1


async def test_a_function_may_use_a_task_group() -> None:
    @aionix.builtin(name="sumOf")
    async def sum_of(numbers: list[int]) -> int:
        results: list[int] = []

        async def add(number: int) -> None:
            await checkpoint()
            results.append(number)

        async with anyio.create_task_group() as group:
            for number in numbers:
                group.start_soon(add, number)
        return sum(results)

    assert await value_of("sumOf [ 1 2 3 ]", sum_of) == 6


async def test_a_function_may_use_another_evaluation() -> None:
    inner = Evaluation.builder(Memory({"a.nix": "x: x * 2"})).mode("strict").build()

    @aionix.builtin
    async def nested(number: int) -> object:
        function = (await inner.evaluate_file("/a.nix")).unwrap()
        return (await function(number)).to_python()

    assert await value_of("map nested (builtins.genList (x: x) 5)", nested) == [0, 2, 4, 6, 8]


async def test_an_error_of_another_evaluation_is_a_cause_with_a_text_of_its_own() -> None:
    inner = Evaluation.builder(Memory({"a.nix": "nowhere"})).build()

    @aionix.builtin
    async def nested(_: object) -> object:
        return (await inner.evaluate_file("/a.nix")).unwrap().to_python()

    with pytest.raises(BuiltinFailed, match="UndefinedVariable: undefined variable 'nowhere'") as caught:
        await value_of("nested null", nested)
    assert "at «string»:1:1" in aionix.render(caught.value)
    assert isinstance(caught.value.__cause__, UndefinedVariable)
    assert "at /a.nix:1:1" in aionix.render(caught.value.__cause__)


async def test_a_function_may_use_its_own_evaluation() -> None:
    evaluations: list[Evaluation] = []

    @aionix.builtin
    async def again(code: str) -> object:
        return (await evaluations[0].evaluate(code)).unwrap().to_python()

    evaluations.append(
        Evaluation.builder(Memory({"a.nix": 'builtins.again "import /a.nix"'})).builtins(again).build()
    )
    assert (await evaluations[0].evaluate('builtins.again "1 + 1"')).unwrap().to_python() == 2
    with anyio.fail_after(60):
        error = (await evaluations[0].evaluate_file("/a.nix")).errors[0]
    assert isinstance(error, InfiniteRecursion)


async def test_a_builtin_is_still_the_python_function_it_was_made_of() -> None:
    @aionix.builtin
    def shout(text: str) -> str:
        return text.upper()

    @aionix.builtin(name="later")
    async def later(number: int) -> int:
        return number + 1

    assert shout("hey") == "HEY"
    assert await later(1) == 2  # type: ignore[misc]  # what it returns is the function's business
