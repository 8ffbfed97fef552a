"""Values as strings, and as paths: interpolation, `toString`, path arguments.

| value                   | weakly            | strongly (`toString`, derivations) |
|-------------------------|-------------------|------------------------------------|
| string                  | itself            | itself                             |
| path                    | copied to the store, or its text with `copy=False`     |
| set with `__toString`   | what it makes of the set, coerced                      |
| set with `outPath`      | its `outPath`, coerced                                 |
| null, false             | error             | empty                              |
| true                    | error             | `1`                                |
| integer, float          | error             | decimal, six decimals              |
| list                    | error             | its elements, spaces between them  |
| anything else           | error             | error                              |
"""

from __future__ import annotations

from collections.abc import Iterable

from aionix.errors import NotAnAbsolutePath, NotCoercible
from aionix.values.attrs import AttrSet
from aionix.values.functions import call
from aionix.values.kinds import kind_of
from aionix.values.limits import MAX_NESTING, check_list, checkpoint, look_around, too_deep
from aionix.values.numbers import fixed_float
from aionix.values.paths import Path, clean
from aionix.values.strings import join
from aionix.values.thunk import Value, current_fiber, force


def coerce_to_string(value: Value, *, strong: bool = False, copy: bool = True) -> str:
    """The string that stands for `value`, with the contexts of all that it is made of.

    Raises `NotCoercible`; with `copy`, also what copying a file to the store raises.
    """
    if type(value) is list:
        value = value[1] if value[0] is None else value[0](value)
    if isinstance(value, str):
        return value
    if strong and type(value) is int:
        return str(value)
    if type(value) is AttrSet and "outPath" in value and "__toString" not in value:
        value = force(value["outPath"])  # a derivation, most often
        if isinstance(value, str):
            return value
    parts: list[str] = []
    _collect(value, parts, strong, copy, 0)
    return parts[0] if len(parts) == 1 else join(parts)


def _collect(value: Value, parts: list[str], strong: bool, copy: bool, depth: int) -> None:
    """Appends the pieces of the string to `parts`; the value is evaluated."""
    subject = _stand_in(value) if type(value) is AttrSet else value
    if isinstance(subject, str):
        parts.append(subject)
    elif isinstance(subject, Path):
        parts.append(current_fiber().copy_to_store(subject.text) if copy else subject.text)
    elif strong and type(subject) is tuple:
        _collect_list(subject, parts, copy, depth + 1)
    elif strong and type(subject) in _STRONG:
        parts.append(_strong_text(subject))
    else:
        raise _not_coercible(subject)


def _stand_in(value: Value) -> Value:
    """What `__toString` or `outPath` of a set gives, or of what that gives."""
    steps = 0
    while type(value) is AttrSet:
        if "__toString" in value:
            checkpoint()  # compiled code that converts does not look at the clock itself
            value = call(value["__toString"], value)
        elif "outPath" in value:
            value = force(value["outPath"])
        else:
            raise _not_coercible(value)
        steps += 1
        if steps > MAX_NESTING:
            raise too_deep()
        if steps & 1023 == 0:
            checkpoint()
    return value


def _collect_list(items: tuple[Value, ...], parts: list[str], copy: bool, depth: int) -> None:
    if depth > MAX_NESTING:
        raise too_deep()
    look_around()
    check_list(len(parts))
    last = len(items) - 1
    for index, item in enumerate(items):
        element = item
        if type(element) is list:
            element = element[1] if element[0] is None else element[0](element)
        if type(element) is str:
            parts.append(element)
        elif type(element) is int:
            parts.append(str(element))
        else:
            _collect(element, parts, True, copy, depth)
        # Nix's rule, odd as it is: a space unless this is the last element or an empty list.
        if index < last and element != ():
            parts.append(" ")
        if index & 1023 == 1023:
            checkpoint()


def parts_of_text(value: tuple[Value, ...] | AttrSet) -> Iterable[Value]:
    """What is sure to be forced when `value` is strongly coerced."""
    if isinstance(value, tuple):
        return value
    return (value["outPath"],) if "outPath" in value and "__toString" not in value else ()


_STRONG = frozenset({bool, int, float, type(None)})


def _strong_text(value: Value) -> str:
    if type(value) is float:
        return fixed_float(value)
    if type(value) is int:
        return str(value)
    return "1" if value is True else ""


def _not_coercible(value: Value) -> NotCoercible:
    from aionix.values.printing import brief

    return NotCoercible(f"cannot coerce {kind_of(value)} to a string: {brief(value)}")


def coerce_to_path(value: Value) -> str:
    """The absolute, clean path that `value` means; nothing is copied to the store.

    Raises `NotCoercible`, or `NotAnAbsolutePath` for a string that does not begin with `/`.
    """
    value = force(value)
    steps = 0
    while type(value) is AttrSet and "__toString" in value:
        checkpoint()
        value = call(value["__toString"], value)
        steps += 1
        if steps > MAX_NESTING:
            raise too_deep()
    if isinstance(value, Path):
        return value.text
    text = coerce_to_string(value, copy=False)
    if not text.startswith("/"):
        raise NotAnAbsolutePath(f"string '{text}' doesn't represent an absolute path")
    return clean(text)
