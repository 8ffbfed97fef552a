"""Errors as data, and the faults of backends."""

import errno
import json
import os
import pickle
import re
from collections.abc import Callable

import pytest

import aionix
from aionix import Evaluation, NixError
from aionix.errors import BackendFailed, FileError
from aionix.io import EvalIO, FileType
from io_backends import Memory

pytestmark = pytest.mark.anyio

FILES = {
    "main.nix": "let\n  service = import ./service.nix;\nin service { }\n",
    "service.nix": "{ port ? throw \"no port\" }:\n{ inherit port; }\n",
}  # fmt: skip


async def error_of(code: str, io: EvalIO | None = None) -> NixError:
    with pytest.raises(NixError) as caught:
        await aionix.evaluate(code, io=io or Memory(FILES))
    return caught.value


async def test_an_error_says_what_where_and_on_the_way_to_what() -> None:
    error = await error_of("import /main.nix")
    assert (error.code, error.message, str(error)) == ("E001", "no port", "no port")
    assert [frame.message for frame in error.frames][:1] == ["while calling the 'throw' builtin"]
    text = aionix.render(error)
    assert "error: no port" in text and "/service.nix:1" in text


async def test_a_step_is_told_once() -> None:
    error = await error_of("{ a = { b = 1 + null; }; }")
    assert [frame.message for frame in error.frames] == [
        "while evaluating the attribute 'b'",
        "while evaluating the attribute 'a'",
    ]


async def test_a_file_that_was_asked_for_is_no_step() -> None:
    for path in ("/no.nix", "/wrong.nix"):
        with pytest.raises(NixError) as caught:
            await aionix.evaluate_file(path, io=Memory({"wrong.nix": "1 +"}))
        assert caught.value.frames == []


async def test_a_function_that_is_no_builtin_is_refused_with_a_hint() -> None:
    with pytest.raises(NixError) as caught:
        await aionix.evaluate("f 1", f=len)
    assert "@aionix.builtin" in (caught.value.hint or "")


async def test_an_error_is_plain_data() -> None:
    data = (await error_of("import /main.nix")).to_dict()
    assert json.loads(json.dumps(data)) == data
    assert set(data) == {"code", "message", "hint", "span", "frames"}
    assert data["span"] == {"file": "/service.nix", "line": 1, "column": 10, "end_line": 1, "end_column": 25}


@pytest.mark.parametrize(
    "code", ["import /main.nix", "1 +", "nope", "{ a = 1; }.b", "let x = x; in x", "import /no"]
)
async def test_an_error_survives_pickling(code: str) -> None:
    error = await error_of(code)
    copy = pickle.loads(pickle.dumps(error))
    assert type(copy) is type(error)
    assert copy.to_dict() == error.to_dict()
    assert aionix.render(copy) == aionix.render(error)


async def test_a_hint_helps() -> None:
    assert (await error_of("{ name = 1; }.nmae")).to_dict()["hint"] is not None


# -- files that cannot be read


class Failing(EvalIO):
    """Has one file, `/x`, and raises what it is told to when anybody looks inside."""

    def __init__(self, make: Callable[[], Exception]) -> None:
        self._make = make

    async def read(self, path: str) -> bytes:
        raise self._make()

    async def read_dir(self, path: str) -> dict[str, FileType]:
        raise self._make()

    async def file_type(self, path: str) -> FileType:
        return FileType.DIRECTORY if path == "/" else FileType.REGULAR


LOOKING = {
    "builtins.readFile /x": "opening file '/x': ",
    "import /x": "opening file '/x': ",
    'builtins.hashFile "md5" /x': "opening file '/x': ",
    "builtins.readDir /x": "reading directory /x: ",
    '"${/x}"': "opening file '/x': ",
}


@pytest.mark.parametrize("code", LOOKING)
@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda: PermissionError(errno.EACCES, os.strerror(errno.EACCES)), "Permission denied"),
        (lambda: FileNotFoundError("/x"), "No such file or directory"),
        (lambda: ConnectionResetError(errno.ECONNRESET, "the server hung up"), "the server hung up"),
        (lambda: TimeoutError(), "Connection timed out"),
        (lambda: OSError("no bucket"), "no bucket"),
        (lambda: OSError(), "OSError"),
    ],
)
async def test_an_oserror_of_a_backend_is_worded_and_is_the_cause(
    make: Callable[[], Exception], reason: str, code: str
) -> None:
    error = await error_of(code, Failing(make))
    assert isinstance(error, FileError) and not isinstance(error, BackendFailed)
    assert (error.code, error.path, error.message) == ("E029", "/x", LOOKING[code] + reason)
    assert isinstance(error.__cause__, OSError)


@pytest.mark.parametrize("code", LOOKING)
@pytest.mark.parametrize(
    "make",
    [
        lambda: KeyError("bucket"),
        lambda: RuntimeError("closed"),
        lambda: StopIteration(),
        lambda: RecursionError(),
    ],
)
async def test_a_fault_of_a_backend_is_told_as_its_own(make: Callable[[], Exception], code: str) -> None:
    error = await error_of(code, Failing(make))
    assert isinstance(error, BackendFailed)
    assert (error.code, error.path) == ("E050", "/x")
    assert re.match(r"Failing\.[a-z_]+ failed for '/x': ", error.message)
    assert error.span is not None and isinstance(error.__cause__, Exception)


class Mistyped(Memory):
    """Says `str` where `bytes` or `FileType` is due."""

    async def read(self, path: str) -> bytes:
        return "text"  # type: ignore[return-value]  # the mistake

    async def read_dir(self, path: str) -> dict[str, FileType]:
        return {"a": "regular"}  # type: ignore[dict-item]  # the mistake


@pytest.mark.parametrize("code", LOOKING)
async def test_a_backend_that_answers_with_the_wrong_type_is_told(code: str) -> None:
    error = await error_of(code, Mistyped({"x": "text"}))
    assert isinstance(error, BackendFailed)
    assert "got str" in error.message


async def test_a_fault_in_the_environment_is_told_too() -> None:
    class NoEnvironment(Memory):
        def get_env(self, name: str) -> str | None:
            raise KeyError(name)

    error = await error_of('builtins.getEnv "HOME"', NoEnvironment({}))
    assert error.message == "NoEnvironment.get_env failed for 'HOME': KeyError: 'HOME'"


async def test_tryeval_hides_no_trouble_with_files() -> None:
    assert isinstance(await error_of("builtins.tryEval (import /x)", Failing(KeyError)), BackendFailed)
    assert isinstance(await error_of("builtins.tryEval (import /no)"), FileError)


# -- what is remembered


async def test_a_file_that_was_not_there_is_looked_for_again() -> None:
    files: dict[str, str] = {"main.nix": "1 + import ./late.nix"}
    evaluation = Evaluation.builder(Memory(files)).build()
    for _ in range(2):
        assert isinstance((await evaluation.evaluate_file("/main.nix")).errors[0], FileError)
    files["late.nix"] = "41"
    assert (await evaluation.evaluate_file("/main.nix")).unwrap().to_python() == 42


async def test_a_backend_that_recovers_is_asked_again() -> None:
    class Flaky(Memory):
        broken = True

        async def read(self, path: str) -> bytes:
            if self.broken:
                raise ValueError("not now")
            return await super().read(path)

    files = Flaky({"a.nix": "1"})
    evaluation = Evaluation.builder(files).build()
    assert isinstance((await evaluation.evaluate_file("/a.nix")).errors[0], BackendFailed)
    files.broken = False
    assert (await evaluation.evaluate_file("/a.nix")).unwrap().to_python() == 1


async def test_a_file_that_was_evaluated_is_not_read_again_by_the_same_evaluation() -> None:
    files = {"a.nix": "1"}
    first = Evaluation.builder(Memory(files)).build()
    assert (await first.evaluate_file("/a.nix")).unwrap().to_python() == 1
    files["a.nix"] = "2"
    assert (await first.evaluate_file("/a.nix")).unwrap().to_python() == 1
    second = Evaluation.builder(Memory(files)).build()
    assert (await second.evaluate_file("/a.nix")).unwrap().to_python() == 2


async def test_a_function_that_a_builtin_calls_is_placed_where_it_is_written() -> None:
    error = await error_of("builtins.sort (a: b: a < b) [\n  1\n  (x: x)\n]")
    innermost = error.to_dict()["frames"][0]  # type: ignore[index]  # plain data
    assert innermost["message"] == "while calling anonymous lambda"
    assert (innermost["span"]["line"], innermost["span"]["column"]) == (1, 19)


async def test_traces_name_attributes_and_leave_variables_out() -> None:
    error = await error_of("let y = 1 + null; in { x = y; }")
    assert [frame.message for frame in error.frames] == ["while evaluating the attribute 'x'"]
