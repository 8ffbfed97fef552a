"""Errors and warnings as a person reads them: the one place that makes this text.

    error:
           … while calling the 'head' builtin
             at /etc/site.nix:4:7:
                3| in {
                4|   z = head { };
                 |       ^^^^^^^^
                5| }

           error: expected a list but found a set: { }
           code: E006

The way in comes first (outermost step on top), the message last, where the eye is when a
command has ended. Columns count bytes, as in Nix; carets are put where a terminal shows them.
"""

from __future__ import annotations

import re
from itertools import groupby
from unicodedata import combining, east_asian_width

from aionix.errors import InfiniteRecursion, InternalError, NixError, TraceFrame
from aionix.source import Source, SourceMap, Span

#: Without `show_trace`, this many steps are shown of a longer way: the first and the last ones.
OUTER_STEPS = 3
INNER_STEPS = 7
#: Longer source lines (generated files) are cropped to this many characters around the carets.
LINE_WIDTH = 160

# Messages are guest text. Their colours are dropped; other C0 and C1 controls, which could drive the
# reader's terminal, become Unicode's pictures of them.
_COLORS = re.compile(r"\x1b\[[0-9;:]*m")
_VISIBLE: dict[int, int | None] = {c: 0x2400 + c for c in range(32) if c not in (9, 10)}
_VISIBLE |= dict.fromkeys(range(127, 160), 0xFFFD)
_VISIBLE |= {7: None, 13: None}  # Nix drops these two as well

_INDENT = " " * 7


def render(
    error: NixError,
    *,
    sources: SourceMap | None = None,
    color: bool = False,
    show_trace: bool = False,
) -> str:
    """The text for `error`, without a line break at its end.

    `sources` are the texts its spans point into (default: those it carries); without them no
    places are shown. The last line that begins with `error:` holds the message.
    """
    return _Renderer(sources or error.sources, _Style(color)).error(error, show_trace)


def render_warning(
    message: str,
    span: Span | None = None,
    *,
    code: str | None = None,
    sources: SourceMap | None = None,
    color: bool = False,
) -> str:
    """The text for a warning about the place `span`, without a line break at its end."""
    return _Renderer(sources, _Style(color)).warning(message, span, code)


def render_internal(error: BaseException, *, color: bool = False) -> str:
    """The text for a fault of aionix itself."""
    if isinstance(error, InternalError):
        message = str(error)
    else:
        message = str(InternalError(f"{type(error).__name__}: {error}"))
    return _Style(color).paint("error:", "1;31") + " " + printable(message)


def printable(text: str) -> str:
    """`text` without colours and control characters, save tabs and line breaks."""
    return text if text.isascii() and text.isprintable() else _COLORS.sub("", text).translate(_VISIBLE)


class _Style:
    def __init__(self, color: bool) -> None:
        self._color = color

    def paint(self, text: str, sgr: str) -> str:
        return f"\x1b[{sgr}m{text}\x1b[0m" if self._color else text

    def error(self, text: str) -> str:
        return self.paint(text, "1;31")

    def warning(self, text: str) -> str:
        return self.paint(text, "1;35")

    def place(self, text: str) -> str:
        return self.paint(text, "1;34")

    def quiet(self, text: str) -> str:
        return self.paint(text, "2")


class _Renderer:
    def __init__(self, sources: SourceMap | None, style: _Style) -> None:
        self._sources = sources
        self._style = style

    def error(self, error: NixError, show_trace: bool) -> str:
        frames = error.frames
        steps = self._steps(frames[::-1], show_trace)
        title = self._style.error("error:")
        body = self._message(title, error.message)
        if not frames or frames[0].span != error.span:  # else it has just been shown
            body += self._where("at", error.span, _INDENT)
        if isinstance(error, InfiniteRecursion) and error.first not in (None, error.span):
            body += self._where("first needed at", error.first, _INDENT)
        if error.hint:
            body += [_INDENT + line for line in printable(error.hint).split("\n")]
        body.append(_INDENT + self._style.quiet(f"code: {error.code}"))
        if not steps:
            return "\n".join(body)
        return "\n".join([title, *steps, _INDENT + body[0], *body[1:]])

    def warning(self, message: str, span: Span | None, code: str | None) -> str:
        lines = self._message(self._style.warning("warning:"), message)
        lines += self._where("at", span, _INDENT)
        if code is not None:
            lines.append(_INDENT + self._style.quiet(f"code: {code}"))
        return "\n".join(lines)

    def _message(self, title: str, message: str) -> list[str]:
        first, *rest = printable(message).split("\n")
        return [f"{title} {first}", *[(_INDENT + line).rstrip() for line in rest]]

    def _steps(self, frames: list[TraceFrame], show_trace: bool) -> list[str]:
        # A function that calls itself takes the same step again and again.
        steps = [self._step(frame, len(list(same))) for frame, same in groupby(frames)]
        left_out = len(steps) - OUTER_STEPS - INNER_STEPS
        if not show_trace and left_out > 1:
            note = self._style.quiet(f"{_INDENT}({left_out} steps left out; --show-trace shows them)")
            steps[OUTER_STEPS:-INNER_STEPS] = [[note, ""]]
        return [line for step in steps for line in step]

    def _step(self, frame: TraceFrame, times: int) -> list[str]:
        first, *rest = printable(frame.message).split("\n")
        lines = [f"{_INDENT}… {first}", *[f"{_INDENT}  {line}" for line in rest]]
        lines += [*self._where("at", frame.span, _INDENT + "  "), ""]
        if times > 1:
            lines += [self._style.quiet(f"{_INDENT}(and again, {times - 1} times)"), ""]
        return lines

    def _where(self, word: str, span: Span | None, indent: str) -> list[str]:
        if span is None or self._sources is None:
            return []
        place = self._style.place(printable(self._sources.describe(span)))
        return [f"{indent}{word} {place}:", *self._excerpt(self._sources.source_at(span.start), span)]

    def _excerpt(self, source: Source, span: Span) -> list[str]:
        number, column = source.position(span.start)
        end_line, end_column = source.position(span.end)
        text, before, under = _cut(source.line(number), column, end_column if end_line == number else None)
        carets = _padding(before) + self._style.error("^" * max(1, _width(under)))
        lines = [_numbered(number, text), f"{'':13}| {carets}"]
        if number > 1:
            lines.insert(0, _numbered(number - 1, _cut(source.line(number - 1), 1, 1)[0]))
        if number < source.line_count and source.line(number + 1).strip():
            lines.append(_numbered(number + 1, _cut(source.line(number + 1), 1, 1)[0]))
        return lines


def _numbered(number: int, text: str) -> str:
    return f"{'':8}{number:>5}| {printable(text)}".rstrip()


def _cut(line: str, column: int, end_column: int | None) -> tuple[str, str, str]:
    """What to show of `line`, of that the part before the byte `column`, and the part below it."""
    raw = line.encode("utf-8", "surrogateescape")
    before = raw[: column - 1].decode("utf-8", "surrogateescape")
    end = len(raw) if end_column is None else end_column - 1
    under = raw[column - 1 : end].decode("utf-8", "surrogateescape")
    if len(line) <= LINE_WIDTH:
        return line, before, under
    begin = max(0, len(before) - LINE_WIDTH // 2)
    shown = line[begin : begin + LINE_WIDTH]
    if begin:
        shown = "…" + shown[1:]
    if begin + LINE_WIDTH < len(line):
        shown = shown[:-1] + "…"
    return shown, shown[: len(before) - begin], under[: LINE_WIDTH - (len(before) - begin)]


def _padding(before: str) -> str:
    """Blanks as wide as `before`; tabs stay, so that they are as wide as above."""
    return "".join([char if char == "\t" else " " * _width(char) for char in before])


def _width(text: str) -> int:
    """The number of terminal cells that `text` takes."""
    if text.isascii():
        return len(text)
    wide = sum([2 if east_asian_width(char) in "WF" else 1 for char in text])
    return wide - sum([1 for char in text if combining(char)])
