"""What a backend answered, as plain data: to be kept, given again, or written down as JSON."""

from __future__ import annotations

import base64
import errno
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import NoReturn, TypeAlias, TypeVar, cast

from aionix.io import EvalIO, FileType, errno_of, reason
from io_backends.wrapper import Question

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Failure:
    """An OSError; `at` is the path that it is about, if that is not the one that was asked for."""

    code: int
    reason: str
    at: str | None = None

    @classmethod
    def of(cls, error: OSError, path: str) -> Failure:
        at = error.filename if isinstance(error.filename, str) and error.filename != path else None
        return cls(errno_of(error) or errno.EIO, reason(error), at)

    def throw(self, path: str) -> NoReturn:
        raise OSError(self.code, self.reason, self.at or path)


#: What a question is answered with; the dict is a directory's.
Answer: TypeAlias = bytes | dict[str, FileType] | FileType | str | bool | Failure | None


async def asked(question: Question[T], io: EvalIO, path: str) -> Answer:
    """What `io` answers. Raises OSError."""
    return cast(Answer, await question.put(io, path))


def told(question: Question[T], answer: Answer, path: str) -> T:
    """The answer to give; raises OSError if it was one."""
    if isinstance(answer, Failure):
        answer.throw(path)
    # Who gets a listing may change it.
    return cast(T, dict(answer) if isinstance(answer, dict) else answer)


def to_json(method: str, path: str, answer: Answer) -> str:
    """One line of ASCII: `{"ask": "read", "path": "/a.nix", "text": "1 + 1"}`.

    Contents are `text` if they are UTF-8, else `base64`; other answers are `entries`, `type`, `target`
    (a path, or null) and `holds` (true or false). An error is `errno`, by name, `reason`, and, if it is about
    another path, `at`.
    """
    return json.dumps({"ask": method, "path": path, **_fields(answer)})


def from_json(line: str | bytes) -> tuple[str, str, Answer]:
    """The method, path and answer of a line. Raises ValueError for anything that `to_json` does not write."""
    try:
        fields = json.loads(line)
        method, path = _text(fields.pop("ask")), _text(fields.pop("path"))
        answer = _failure(fields) if "errno" in fields else _READERS[method](fields)
    except (KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ValueError(f"not an answer: {type(error).__name__}") from error
    if fields:
        raise ValueError("not an answer: too many fields")
    return method, path, answer


def _fields(answer: Answer) -> dict[str, object]:
    if isinstance(answer, bytes):
        return _content(answer)
    if isinstance(answer, dict):
        return {"entries": {name: answer[name].value for name in sorted(answer)}}
    if isinstance(answer, FileType):
        return {"type": answer.value}
    if isinstance(answer, bool):
        return {"holds": answer}
    if isinstance(answer, Failure):
        at = {} if answer.at is None else {"at": answer.at}
        return {"errno": errno.errorcode.get(answer.code, "EIO"), "reason": answer.reason, **at}
    return {"target": answer}


def _content(data: bytes) -> dict[str, object]:
    try:
        return {"text": data.decode()}
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(data).decode()}


def _read_content(fields: dict[str, object]) -> Answer:
    if "text" in fields:
        return _text(fields.pop("text")).encode()
    return base64.b64decode(_text(fields.pop("base64")), validate=True)


def _read_entries(fields: dict[str, object]) -> Answer:
    entries = fields.pop("entries")
    if not isinstance(entries, dict):
        raise TypeError
    return {_text(name): FileType(kind) for name, kind in entries.items()}


def _read_type(fields: dict[str, object]) -> Answer:
    return FileType(fields.pop("type"))


def _read_target(fields: dict[str, object]) -> Answer:
    return _text(fields.pop("target"))


def _read_target_or_none(fields: dict[str, object]) -> Answer:
    target = fields.pop("target")
    return None if target is None else _text(target)


def _read_truth(fields: dict[str, object]) -> Answer:
    holds = fields.pop("holds")
    if not isinstance(holds, bool):
        raise TypeError
    return holds


def _failure(fields: dict[str, object]) -> Failure:
    code = getattr(errno, _text(fields.pop("errno")), None)
    if not isinstance(code, int):
        raise TypeError
    at = _text(fields.pop("at")) if "at" in fields else None
    return Failure(code, _text(fields.pop("reason")), at)


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


_READERS: dict[str, Callable[[dict[str, object]], Answer]] = {
    "read": _read_content,
    "read_dir": _read_entries,
    "file_type": _read_type,
    "read_link": _read_target,
    "is_executable": _read_truth,
    "resolve": _read_target,
    "path_exists": _read_truth,
    "import_path": _read_target_or_none,
    "get_env": _read_target_or_none,
}
