"""A tree of Lambdas as bytes, and back, each one as it is first run.

Most code of a large program never runs: of the files that a nixpkgs package needs, one chunk in
ten. So an image is the Lambdas one after the other, inner ones first, each with its chunk: `marshal`s of
plain tuples that name other Lambdas by their offsets. In place of a chunk that has not been written yet are
the names of its upvalues. At the end is the outermost one's offset; behind that, once it is known what
runs, the Python code of what did, and chunks that were missing (`Reader.add`):

    offset of the end | offset of the index, or 0 | record ... record | end: (offset, warnings, paths)
    | what was added | index

Python code is read a group at a time, that of what ran in the same process: they have most of their names
in common, so that takes half of the time (2.7 us a function, 5.5 alone). Code that several Lambdas share is
there once, under the name of its shape.

Spans are kept relative to their file. Only bytes that this module has made may be read: whoever keeps
an image proves with a checksum that it is unchanged (`bytecode.cache`).
"""

from __future__ import annotations

import marshal
from array import array
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from itertools import repeat
from types import CodeType
from typing import Literal, NamedTuple, TypeAlias, cast, overload
from weakref import ref

from aionix.bytecode.chunk import Chunk, DeferredLambda, Formals, Global, KeptNative, Lambda, Later, Native
from aionix.source import Span
from aionix.warnings import EvalWarning, WarningKind

#: Part of every key under which images are kept: raised when anything here changes.
FORMAT = 13

# (kind, name, parameter, formals, upvalue count, captures with, start, end)
_LambdaFields: TypeAlias = tuple[int, str | None, str | None, "_FormalsFields | None", int, bool, int, int]
# (names, which have a default, ellipsis, spans)
_FormalsFields: TypeAlias = tuple[tuple[str, ...], tuple[bool, ...], bool, bytes]
# (code, constants, where spans begin, spans, spans of attributes, names of attributes)
_ChunkFields: TypeAlias = tuple[
    bytes,
    tuple[object, ...],
    bytes,
    bytes,
    tuple[tuple[int, bytes], ...],
    tuple[tuple[int, tuple[str, ...]], ...],
]
#: In place of a chunk: the names of its upvalues.
_Missing: TypeAlias = tuple[tuple[str, ...]]
# (code or its shape, recipes, whether these are plain)
_NativeFields: TypeAlias = "tuple[CodeType | bytes, tuple[object, ...], bool]"
#: By the offset of the record.
_Natives: TypeAlias = dict[int, _NativeFields]
_WarningFields: TypeAlias = tuple[str, int, int, str]
_End: TypeAlias = tuple[int, tuple[_WarningFields, ...], tuple[str, ...]]

# Constants that `marshal` does not know are tuples: a path (text,), a global (name, None), or a
# Lambda (offset, None, None).
_PATH_LENGTH, _GLOBAL_LENGTH = 1, 2

_KINDS: tuple[Literal["toplevel", "function", "thunk"], ...] = ("toplevel", "function", "thunk")
_WORD = "i"  # of a table of offsets; those of a source of more than 2 GiB do not fit
_NOWHERE = (-1, -1)  # in place of a span that is None
_OFFSET = 8  # bytes of one in the header
_HEADER = 2 * _OFFSET
#: Functions that are read at once.
_GROUP = 64
_SIZE = 4  # bytes before a record: the size of the Lambda's fields, behind which the chunk is


def dump(code: Lambda, warnings: Sequence[EvalWarning], paths: tuple[str, ...], base: int) -> bytes:
    """The image of the code, the warnings, and the literal paths of the source that begins at `base`.

    Raises OverflowError if that source is too large.
    """
    writer = _Writer(base)
    end = marshal.dumps((writer.add(code), tuple([writer.warning(warning) for warning in warnings]), paths))
    return b"".join([_header(writer.size, 0), *writer.blobs, end])


def _header(end: int, index: int) -> bytes:
    return end.to_bytes(_OFFSET, "little") + index.to_bytes(_OFFSET, "little")


class _Index(NamedTuple):
    """Where things are that were added: the Python code of records, or its group; chunks of records; and
    code by its shape."""

    natives: dict[int, int]
    chunks: dict[int, int]
    shapes: dict[bytes, int]


def _index(image: memoryview) -> _Index:
    offset = int.from_bytes(image[_OFFSET:_HEADER], "little")
    return _Index(*marshal.loads(image[offset:])) if offset else _Index({}, {}, {})


#: Code that units share, also those of other evaluations, as long as one is left.
_shared: dict[bytes, ref[CodeType]] = {}


def load(
    image: bytes | memoryview, base: int, path: Callable[[str], object], later: Later
) -> tuple[StoredLambda, Sequence[EvalWarning], tuple[str, ...]]:
    """What is in `image`, for the same source, which now begins at `base`.

    `path` makes path constants; `later` writes the chunks that the image does not have.
    """
    reader = Reader(image, base, path, later)
    offset, warnings, paths = cast(_End, reader.read(int.from_bytes(image[:_OFFSET], "little")))
    return reader.code(offset), StoredWarnings(reader, warnings), paths


class _Writer:
    """Writes records that come to stand at `size`."""

    def __init__(self, base: int, size: int = _HEADER) -> None:
        self.base = base
        self.blobs: list[bytes] = []
        self.size = size
        self._written: dict[Lambda, int] = {}

    def add(self, code: Lambda) -> int:
        """Writes `code` and what is inside, that first; returns its offset."""
        order = [code]
        chunks: list[Chunk | None] = []  # what is missing may be written meanwhile, by another thread
        for outer in order:  # it grows meanwhile; recursion would go as deep as the program
            chunks.append(None if isinstance(outer, DeferredLambda) and not outer.written else outer.chunk)
            order += _inner(chunks[-1])
        for each, chunk in zip(reversed(order), reversed(chunks), strict=True):
            self._written[each] = self.size
            fields = marshal.dumps(self._lambda(each))
            self._push(len(fields).to_bytes(_SIZE, "little") + fields)
            if chunk is None:
                self._push(marshal.dumps((each.names,)))  # type: ignore[attr-defined]  # it is deferred
            else:
                self._push_chunk(chunk)
        return self._written[code]

    def add_chunk(self, chunk: Chunk) -> int:
        """Writes the chunk alone, after what is inside."""
        for code in _inner(chunk):
            self.add(code)
        return self._push_chunk(chunk)

    def _push_chunk(self, chunk: Chunk) -> int:
        return self._push(marshal.dumps(self._chunk(chunk)))  # type: ignore[arg-type]  # constants are `object`

    def add_natives(self, natives: Mapping[int, Native], shapes: dict[bytes, int]) -> dict[int, int]:
        """Writes them, and the code of those `shapes` that are new; returns the offset of its group for
        each."""
        found: dict[int, int] = {}
        pairs = [(record, self._native(native, shapes)) for record, native in sorted(natives.items())]
        for start in range(0, len(pairs), _GROUP):
            group = dict(pairs[start : start + _GROUP])
            offset = self._push(marshal.dumps(group))
            found |= dict.fromkeys(group, offset)
        return found

    def _native(self, native: Native, shapes: dict[bytes, int]) -> _NativeFields:
        code, recipes, plain, shape = native
        if shape is None:
            return code, recipes, plain
        if shape not in shapes:
            shapes[shape] = self._push(marshal.dumps(code))
        return shape, recipes, plain

    def _push(self, blob: bytes) -> int:
        offset = self.size
        self.blobs.append(blob)
        self.size += len(blob)
        return offset

    def _lambda(self, code: Lambda) -> _LambdaFields:
        formals = None if code.formals is None else self._formals(code.formals)
        start, end = code.span
        return (
            _KINDS.index(code.kind),
            code.name,
            code.parameter,
            formals,
            code.upvalue_count,
            code.captures_with,
            start - self.base,
            end - self.base,
        )

    def _formals(self, formals: Formals) -> _FormalsFields:
        spans = self._table([formals.spans[name] for name in formals.names])
        return tuple(formals.names), tuple(formals.names.values()), formals.ellipsis, spans

    def _chunk(self, chunk: Chunk) -> _ChunkFields:
        return (
            bytes(chunk.code),
            tuple([self._constant(constant) for constant in chunk.constants]),
            array(_WORD, chunk._span_starts).tobytes(),
            self._table(chunk._spans),
            tuple([(offset, self._table(spans)) for offset, spans in chunk.attr_spans.items()]),
            tuple(chunk.attr_names.items()),
        )

    def _constant(self, constant: object) -> object:
        if constant is None or type(constant) in (str, int, float, bool):
            return constant
        if isinstance(constant, Lambda):
            return self._written[constant], None, None
        if type(constant) is Global:
            return constant.name, None
        return (constant.text,)  # type: ignore[attr-defined]  # a Path: a room above this one has it

    def _table(self, spans: Iterable[Span | None]) -> bytes:
        base = self.base
        table = array(_WORD)
        for span in spans:
            table.extend(_NOWHERE if span is None else (span.start - base, span.end - base))
        return table.tobytes()

    def warning(self, warning: EvalWarning) -> _WarningFields:
        start, end = warning.span
        return warning.kind.name, start - self.base, end - self.base, warning.detail


def _inner(chunk: Chunk | None) -> list[Lambda]:
    return [] if chunk is None else [inner for inner in chunk.constants if isinstance(inner, Lambda)]


class Reader:
    """An image in memory, from which code is read.

    `written` are the chunks that it did not have, by the offset of their record.
    """

    __slots__ = ("_base", "_codes", "_index", "_later", "_natives", "_path", "image", "written")

    def __init__(
        self, image: bytes | memoryview, base: int, path: Callable[[str], object], later: Later
    ) -> None:
        self.image = memoryview(image)
        self.written: dict[int, Chunk] = {}
        self._base = base
        self._path = path
        self._later = later
        self._index = _index(self.image)
        self._codes: dict[int, StoredLambda] = {}
        self._natives: _Natives = {}  # of the groups that have been read

    def read(self, offset: int) -> object:
        return marshal.loads(self.image[offset:])  # it stops where the object ends

    def code(self, offset: int) -> StoredLambda:
        """The Lambda of the record at `offset`; always the same one."""
        code = self._codes.get(offset)
        if code is None:
            code = self._codes[offset] = StoredLambda(self, offset)
        return code

    def native(self, offset: int) -> KeptNative | None:
        """The Python code that is kept for the record at `offset`."""
        fields = self._natives.get(offset)
        if fields is None:
            at = self._index.natives.get(offset)
            if at is None:
                return None
            group = cast(_Natives, self.read(at))
            self._natives.update(group)
            fields = group[offset]
        code = fields[0]
        if type(code) is not bytes:
            return fields  # type: ignore[return-value]
        known = _shared.get(code)
        shared = None if known is None else known()
        return self._of_shape(code) if shared is None else shared, fields[1], fields[2]

    def _of_shape(self, shape: bytes) -> CodeType:
        code: CodeType = self.read(self._index.shapes[shape])  # type: ignore[assignment]
        _shared[shape] = ref(code, partial(_shared.pop, shape))  # the reference is what it gives by default
        return code

    def add(self, natives: Mapping[int, Native]) -> bytes:
        """The image, with Python code for the records at these offsets, and with what was `written`."""
        writer = _Writer(self._base, len(self.image))
        written = dict(self.written)
        before = self._index
        chunks = before.chunks | {record: writer.add_chunk(chunk) for record, chunk in written.items()}
        shapes = dict(before.shapes)
        codes = before.natives | writer.add_natives(natives, shapes)
        header = self.image[:_OFFSET], writer.size.to_bytes(_OFFSET, "little")
        index = _Index(codes, chunks, shapes)
        image = b"".join([*header, self.image[_HEADER:], *writer.blobs, marshal.dumps(tuple(index))])
        self.image, self._index, self._natives = memoryview(image), index, {}
        for record in written:
            del self.written[record]
        return image

    def forget_natives(self) -> None:
        """From now on there is bytecode only."""
        self._index = self._index._replace(natives={})
        self._natives = {}

    def fields(self, offset: int) -> _LambdaFields:
        return cast(_LambdaFields, self.read(offset + _SIZE))

    def chunk(self, code: StoredLambda) -> Chunk:
        """The chunk of `code`: it is read, or written if it is missing."""
        offset = code.offset
        at = self._index.chunks.get(offset)
        if at is None:
            at = offset + _SIZE + int.from_bytes(self.image[offset : offset + _SIZE], "little")
        fields = cast("_ChunkFields | _Missing", self.read(at))
        if len(fields) == 1:
            chunk = self.written[offset] = self._later(code, fields[0])
            return chunk
        return self._read_chunk(fields)

    def _read_chunk(self, fields: _ChunkFields) -> Chunk:
        code, constants, starts, spans, attr_spans, attr_names = fields
        chunk = StoredChunk(self, starts, spans)
        chunk.code = bytearray(code)
        chunk.constants = [
            self._constant(constant) if type(constant) is tuple else constant for constant in constants
        ]
        chunk.attr_spans = {offset: tuple(self.spans(table)) for offset, table in attr_spans}
        chunk.attr_names = dict(attr_names)
        return chunk

    def _constant(self, fields: tuple[object, ...]) -> object:
        if len(fields) == _PATH_LENGTH:
            return self._path(cast(str, fields[0]))
        if len(fields) == _GLOBAL_LENGTH:
            return Global(cast(str, fields[0]))
        return self.code(cast(int, fields[0]))

    def formals(self, fields: _FormalsFields) -> Formals:
        names, defaults, ellipsis, table = fields
        spans = cast("list[Span]", self.spans(table))
        has_default = dict(zip(names, defaults, strict=True))
        return Formals(has_default, ellipsis, dict(zip(names, spans, strict=True)))

    def span(self, start: int, end: int) -> Span:
        return Span(start + self._base, end + self._base)

    def spans(self, table: bytes) -> list[Span | None]:
        base = self._base
        relative = words(table)
        absolute = [offset + base for offset in relative]
        # A third of what `Span(start, end)` costs.
        pairs = zip(absolute[::2], absolute[1::2], strict=True)
        spans: list[Span | None] = list(map(tuple.__new__, repeat(Span), pairs))
        if -1 in relative:
            spans = [None if start == -1 else span for start, span in zip(relative[::2], spans, strict=True)]
        return spans

    def warning(self, kind: str, start: int, end: int, detail: str) -> EvalWarning:
        return EvalWarning(WarningKind[kind], self.span(start, end), detail)


def words(table: bytes) -> array[int]:
    found = array(_WORD)
    found.frombytes(table)
    return found


class StoredLambda(Lambda):
    """A Lambda of an image. Its fields are read when the first of them is asked for, its chunk
    when that is; what has been read costs as little as in any other Lambda."""

    __slots__ = ("offset", "reader")

    def __init__(self, reader: Reader, offset: int) -> None:
        self.reader = reader
        self.offset = offset

    def __getattr__(self, missing: str) -> object:
        reader = self.reader
        if missing == "chunk":
            self.chunk = reader.chunk(self)
        else:
            kind, self.name, self.parameter, formals, self.upvalue_count, self.captures_with, start, end = (
                reader.fields(self.offset)
            )
            self.kind = _KINDS[kind]
            self.span = reader.span(start, end)
            self.formals = None if formals is None else reader.formals(formals)
        return object.__getattribute__(self, missing)


class StoredWarnings(Sequence[EvalWarning]):
    """The warnings of an image. Each is made when somebody looks at it: most often nobody does."""

    def __init__(self, reader: Reader, fields: tuple[_WarningFields, ...]) -> None:
        self._reader = reader
        self._fields = fields

    def __len__(self) -> int:
        return len(self._fields)

    @overload
    def __getitem__(self, index: int) -> EvalWarning: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[EvalWarning]: ...

    def __getitem__(self, index: int | slice) -> EvalWarning | Sequence[EvalWarning]:
        if isinstance(index, slice):
            return StoredWarnings(self._reader, self._fields[index])
        return self._reader.warning(*self._fields[index])


class StoredChunk(Chunk):
    """A chunk of an image. Its table of spans is read when an error asks for it."""

    __slots__ = ("_reader", "_tables")

    def __init__(self, reader: Reader, starts: bytes, spans: bytes) -> None:
        self._reader = reader
        self._tables = starts, spans

    def __getattr__(self, missing: str) -> object:
        starts, spans = self._tables
        self._span_starts = words(starts).tolist()
        self._spans = cast("list[Span]", self._reader.spans(spans))
        return object.__getattribute__(self, missing)
