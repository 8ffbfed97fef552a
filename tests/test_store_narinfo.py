"""What a binary cache says of a store path."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aionix.errors import ConversionError
from aionix.store.hashes import SIZES, Hash, hash_bytes
from aionix.store.narinfo import MAX_SIZE, NarInfo, parse_narinfo
from aionix.store.nix32 import ALPHABET

DIGEST = "0" * 32
NAR_HASH = hash_bytes("sha256", b"nar")
SAMPLE = f"""StorePath: /nix/store/{DIGEST}-hello-2.12
URL: nar/abc.nar.xz
Compression: xz
FileHash: {hash_bytes("sha256", b"file").spell("sri")}
FileSize: 50160
NarHash: sha256:{NAR_HASH.spell("nix32")}
NarSize: 226488
References: {DIGEST}-hello-2.12 {"1" * 32}-glibc-2.37
Deriver: {"2" * 32}-hello-2.12.drv
Sig: cache-1:c2lnbmF0dXJl
Sig: cache-2:b3RoZXI=
CA: fixed:r:sha256:{NAR_HASH.spell("base16")}
"""


def parse(text: str) -> NarInfo:
    return parse_narinfo(text.encode("utf-8", "surrogateescape"), "it.narinfo")


def test_every_field_is_read() -> None:
    assert parse(SAMPLE) == NarInfo(
        path=f"/nix/store/{DIGEST}-hello-2.12",
        url="nar/abc.nar.xz",
        compression="xz",
        file_hash=hash_bytes("sha256", b"file"),
        file_size=50160,
        nar_hash=NAR_HASH,
        nar_size=226488,
        references=frozenset({f"{DIGEST}-hello-2.12", f"{'1' * 32}-glibc-2.37"}),
        deriver=f"{'2' * 32}-hello-2.12.drv",
        signatures=frozenset({"cache-1:c2lnbmF0dXJl", "cache-2:b3RoZXI="}),
        ca=f"fixed:r:sha256:{NAR_HASH.spell('base16')}",
    )


def test_the_signed_text_has_full_paths_in_order() -> None:
    assert parse(SAMPLE).fingerprint() == (
        f"1;/nix/store/{DIGEST}-hello-2.12;sha256:{NAR_HASH.spell('nix32')};226488;"
        f"/nix/store/{DIGEST}-hello-2.12,/nix/store/{'1' * 32}-glibc-2.37"
    )


def test_what_is_left_out_has_its_usual_meaning() -> None:
    lines = [line for line in SAMPLE.splitlines(True) if line.startswith(("StorePath", "URL", "Nar"))]
    info = parse("".join(lines) + "Compression: \nDeriver: unknown-deriver\nCA: \n")
    assert info == NarInfo(info.path, info.url, info.nar_hash, info.nar_size)
    assert info.compression == "bzip2"


def test_fields_from_the_future_are_passed_over() -> None:
    assert parse("Colour: blue: light\n" + SAMPLE + "Shape: \n") == parse(SAMPLE)


def test_another_store_has_other_paths() -> None:
    text = SAMPLE.replace("/nix/store", "/gnu/store")
    assert parse_narinfo(text.encode(), "it", "/gnu/store").path.startswith("/gnu/store/")
    with pytest.raises(ConversionError, match=r"line 1: path '/gnu/store/.*' is not in the Nix store"):
        parse(text)


digits = st.text(ALPHABET, min_size=32, max_size=32)
bases = st.builds("{}-{}".format, digits, st.from_regex(r"[a-z][a-z0-9+_?=-]{0,20}", fullmatch=True))
words = st.text(st.characters(exclude_characters="\n", codec="utf-8"), min_size=1, max_size=30)
hashes = st.sampled_from(sorted(SIZES)).flatmap(
    lambda name: st.binary(min_size=SIZES[name], max_size=SIZES[name]).map(lambda data: Hash(name, data))
)
infos = st.builds(
    NarInfo,
    path=bases.map("/nix/store/{}".format),
    url=words,
    nar_hash=hashes,
    nar_size=st.integers(1, (1 << 64) - 1),
    compression=words,
    file_hash=st.none() | hashes,
    file_size=st.integers(0, (1 << 64) - 1),
    references=st.frozensets(bases, max_size=3),
    deriver=st.none() | bases,
    signatures=st.frozensets(words, max_size=3),
    ca=st.none() | hashes.map(lambda digest: f"fixed:{digest.algorithm}:{digest.spell('nix32')}"),
)


@given(infos)
def test_what_is_written_is_read_back(info: NarInfo) -> None:
    assert parse(info.to_text()) == info


@given(st.lists(st.tuples(st.integers(0, len(SAMPLE)), st.text(max_size=3), st.integers(0, 30)), max_size=3))
def test_changed_text_is_read_or_refused(changes: list[tuple[int, str, int]]) -> None:
    text = SAMPLE
    for at, new, old in changes:
        text = text[:at] + new.encode("utf-8", "replace").decode() + text[at + old :]
    try:
        info = parse(text)
    except ConversionError:
        return
    assert parse(info.to_text()) == info


@given(st.binary(max_size=100))
def test_any_bytes_at_all_are_refused(data: bytes) -> None:
    with pytest.raises(ConversionError, match=r"^NAR info file 'x' is corrupt: "):
        parse_narinfo(data, "x")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("NarSize: 226488", "NarSize: 0", "NarSize missing or zero"),
        ("NarSize: 226488", "NarSize: -1", "at line 7: invalid NarSize"),
        ("NarSize: 226488", f"NarSize: {1 << 64}", "at line 7: invalid NarSize"),
        ("NarSize: 226488", "NarSize: " + "9" * 6000, "at line 7: invalid NarSize"),
        ("NarSize: 226488", "NarSize: ²", "at line 7: invalid NarSize"),
        ("FileSize: 50160", "FileSize: ", "at line 5: invalid FileSize"),
        ("NarHash: sha256:", "NarHash: ", "at line 6: bad hash"),
        ("NarHash: ", "Nar: ", "NarHash missing"),
        ("StorePath: ", "Path: ", "StorePath missing"),
        ("URL: nar/abc.nar.xz", "URL: ", "URL missing"),
        ("URL: ", "URL", "at line 2: expecting ':'"),
        ("CA: fixed", "CA: fluid", "at line 12: bad CA"),
        ("CA: fixed:r:sha256", "CA: fixed:sha1", "at line 12: bad hash"),
        ("Sig: cache-1", f"CA: text:sha256:{NAR_HASH.spell('nix32')}\nSig: cache-1", "at line 13: extra CA"),
        ("Deriver: ", "References: ", "at line 9: extra References"),
        ("Deriver: ", "Deriver: e", "at line 9: store path"),
        ("Deriver: 2222", "Deriver: ../2222", "at line 9: "),
        ("References: ", "References: short ", "at line 8: 'short' is too short"),
    ],
)
def test_what_cannot_be_meant_is_refused(old: str, new: str, message: str) -> None:
    with pytest.raises(ConversionError) as caught:
        parse(SAMPLE.replace(old, new, 1))
    assert caught.value.message.startswith(f"NAR info file 'it.narinfo' is corrupt: {message}")


def test_the_last_line_must_end_and_the_whole_be_short() -> None:
    with pytest.raises(ConversionError, match=r"at line 12: expecting '\\n'"):
        parse(SAMPLE[:-1])
    with pytest.raises(ConversionError, match=f"more than {MAX_SIZE} bytes"):
        parse(SAMPLE + "X: " + "x" * MAX_SIZE + "\n")
