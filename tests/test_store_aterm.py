"""The text of derivations: what C++ Nix 2.26.3 wrote is read and written back, byte for byte."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aionix.errors import ConversionError
from aionix.store import nix32
from aionix.store.aterm import MAX_DYNAMIC, parse, unparse
from aionix.store.derivation import Derivation, Output, Wanted

# Written by `nix-instantiate` into a scratch store: name, text.
SAMPLES = {
    "quotes": r"""Derive([("out","/nix/store/0rp4qndw4kgxs75dxqfn0nda41qd1rzr-q+.-_?=","","")],[("/nix/store/958hazgvx65s54409m1qqh9acs4dg8bv-flat.tar.gz.drv",["out"]),("/nix/store/c3002vmvaam1aclvsj15ln8l409vn702-r.drv",["out"])],[],"x86_64-linux","/bin/sh",["a\nb","\r\t\\\"'","/nix/store/0wz4lz2ywmrqznrvy166fq0xngpb91n7-flat.tar.gz/nix/store/q4i3qadwci94rlk5c6y8h06y66v0lwkx-r"],[("builder","/bin/sh"),("empty",""),("name","q+.-_?="),("odd \"name\"\n","é\\n"),("out","/nix/store/0rp4qndw4kgxs75dxqfn0nda41qd1rzr-q+.-_?="),("system","x86_64-linux")])""",
    "structured": r"""Derive([("lib","/nix/store/ha6h2n10aqrzxyh74f0zhnad9pvqm30a-s-lib","",""),("out","/nix/store/mmbxh4cr14mf4b8mx1kj4zzzgq8dr3s7-s","","")],[("/nix/store/kz8r4n8jyzx1j9lfjdgk3mc68g6mv9w2-f.drv",["out"])],[],"x86_64-linux","/bin/sh",[],[("__json","{\"builder\":\"/bin/sh\",\"name\":\"s\",\"outputs\":[\"out\",\"lib\"],\"system\":\"x86_64-linux\",\"x\":{\"y\":[1,2,\"/nix/store/f66gffbbljx7hpk8xw2f4ylk355g52as-f\"]}}"),("lib","/nix/store/ha6h2n10aqrzxyh74f0zhnad9pvqm30a-s-lib"),("out","/nix/store/mmbxh4cr14mf4b8mx1kj4zzzgq8dr3s7-s")])""",
    "text": r"""Derive([("out","/nix/store/n67lcg14n0q7xc51d5sm6j6i40kpnvfk-t","text:sha256","2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881")],[],[],"x86_64-linux","/bin/sh",[],[("__contentAddressed",""),("builder","/bin/sh"),("name","t"),("out","/nix/store/n67lcg14n0q7xc51d5sm6j6i40kpnvfk-t"),("outputHash","2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881"),("outputHashAlgo","sha256"),("outputHashMode","text"),("system","x86_64-linux")])""",
    "floating": r"""Derive([("doc","","r:sha256",""),("out","","r:sha256","")],[("/nix/store/958hazgvx65s54409m1qqh9acs4dg8bv-flat.tar.gz.drv",["out"])],[],"x86_64-linux","/bin/sh",[],[("builder","/bin/sh"),("doc","/071n0a2b0qpwijb2ws5nyvq1b3xyb0hgxbsh1cnzxj41mi8k1nyy"),("flat","/nix/store/0wz4lz2ywmrqznrvy166fq0xngpb91n7-flat.tar.gz"),("name","ca"),("out","/1rz4g4znpzjwh1xymhjpm42vipw92pr73vdgl6xs1hycac8kf2n9"),("outputs","out doc"),("system","x86_64-linux")])""",
    "impure": r"""Derive([("out","","r:sha256","impure")],[],[],"x86_64-linux","/bin/sh",[],[("builder","/bin/sh"),("name","imp"),("out","/1rz4g4znpzjwh1xymhjpm42vipw92pr73vdgl6xs1hycac8kf2n9"),("system","x86_64-linux")])""",
    "deferred": r"""Derive([("out","","","")],[("/nix/store/z53mkw08vnzr5hqwnxx3365c7s74xa1f-ca.drv",["doc","out"])],[],"x86_64-linux","/bin/sh",[],[("builder","/bin/sh"),("name","usesca"),("out",""),("system","x86_64-linux"),("x","/11948ymyb402481cndijv3g3an313f6dmrlxjv3brn1yd54y5ifv"),("y","/053yllcqxxf37asykbi9q6yshqx1d7wkagr7qg03n7rx2d0bca2f/b")])""",
    "sources": r"""Derive([("out","/nix/store/sls9i16lq8q2klldlfmb3qdl48c5k4dv-src","","")],[],["/nix/store/1rq02s7wkhgf0272iaffksh8c9gcyq5f-xy","/nix/store/fz34kqswiqmrr4q2jbqk2d4g4vrqcj35-t.nix"],"x86_64-linux","/bin/sh",[],[("builder","/bin/sh"),("f","/nix/store/1rq02s7wkhgf0272iaffksh8c9gcyq5f-xy"),("name","src"),("out","/nix/store/sls9i16lq8q2klldlfmb3qdl48c5k4dv-src"),("src","/nix/store/fz34kqswiqmrr4q2jbqk2d4g4vrqcj35-t.nix"),("system","x86_64-linux")])""",
    "dynamic": r"""DrvWithVersion("xp-dyn-drv",[("out","","","")],[("/nix/store/0wz4lz2ywmrqznrvy166fq0xngpb91n7-x.drv",(["out"],[("a",(["b"],[("c",["d"])]))]))],[],"x","b",[],[])""",
}  # fmt: skip


@pytest.mark.parametrize("text", SAMPLES.values(), ids=list(SAMPLES))
def test_what_nix_wrote_is_written_again(text: str) -> None:
    assert unparse(parse(text.encode(), "x")) == text.encode()


def test_what_nix_wrote_is_understood() -> None:
    quotes = parse(SAMPLES["quotes"].encode(), "q")
    assert quotes.arguments[:2] == ["a\nb", "\r\t\\\"'"]
    assert quotes.environment['odd "name"\n'] == "é\\n"
    assert parse(SAMPLES["impure"].encode(), "i").outputs == {"out": Output("", "r:sha256", "impure")}
    assert parse(SAMPLES["dynamic"].encode(), "d").input_derivations == {
        "/nix/store/0wz4lz2ywmrqznrvy166fq0xngpb91n7-x.drv": Wanted(
            frozenset({"out"}), {"a": Wanted(frozenset({"b"}), {"c": Wanted(frozenset({"d"}))})}
        )
    }


texts = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])) | st.binary().map(
    lambda data: data.replace(b"\0", b"").decode("utf-8", "surrogateescape")
)
words = st.text("abcXYZ09+-._?=", min_size=1, max_size=9).filter(lambda word: word.strip("."))
digests = st.binary(min_size=20, max_size=20).map(nix32.encode)
paths = st.builds("/nix/store/{}-x{}".format, digests, words)
wanted = st.frozensets(words, max_size=3).map(Wanted)
dynamic = st.recursive(
    wanted, lambda inner: st.builds(Wanted, st.frozensets(words, max_size=3), st.dictionaries(words, inner, max_size=2))
)
fixed = st.builds(
    lambda path, prefix, digest: Output(path, f"{prefix}sha256", digest.hex()),
    paths,
    st.sampled_from(["", "r:", "git:", "text:"]),
    st.binary(min_size=32, max_size=32),
)
outputs = paths.map(Output) | fixed | st.sampled_from([Output(), Output("", "r:sha1"), Output("", "sha256", "impure")])
derivations = st.builds(
    Derivation,
    st.just("x"),
    st.dictionaries(words, outputs, max_size=3),
    st.dictionaries(paths, dynamic, max_size=3),
    st.sets(paths, max_size=3),
    words,
    texts,
    st.lists(texts, max_size=3),
    st.dictionaries(texts, texts, max_size=3),
)


@given(derivations)
def test_what_is_written_is_read_as_it_was(derivation: Derivation) -> None:
    text = unparse(derivation)
    assert parse(text, "x") == derivation
    assert unparse(parse(text, "x")) == text


@given(st.sampled_from(list(SAMPLES.values())), st.integers(0, 300), st.integers(0, 20), st.binary(max_size=9))
def test_damage_is_an_error_or_another_derivation(text: str, start: int, length: int, instead: bytes) -> None:
    data = text.encode()
    damaged = data[:start] + instead + data[start + length :]
    try:
        derivation = parse(damaged, "x")
    except ConversionError:
        return
    assert parse(unparse(derivation), "x") == derivation


P = "/nix/store/0wz4lz2ywmrqznrvy166fq0xngpb91n7-x"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "expected string 'Derive('"),
        ('Derive ([],[],[],"x","b",[],[])', "expected string 'Derive('"),
        ('DrvWithVersion("xp-other",[],[],[],"x","b",[],[])', "expected string 'Derive('"),
        ('Derive([],[],[],"x","b",[],[])x', "something after the end"),
        ('Derive([],[],[],"x","b",[],[]', "expected string ')'"),
        ('Derive([,],[],[],"x","b",[],[])', "expected string '('"),
        ('Derive([("out","","",""),],[],[],"x","b",[],[])', "expected string '('"),
        ('Derive([],[],[],"x","b\\",[],[])', "expected a string"),
        ('Derive([],[],["nix"],"x","b",[],[])', "bad path 'nix' in derivation"),
        (f'Derive([],[],["{P}/y"],"x","b",[],[])', "'y' is too short to be a valid store path"),
        (f'Derive([],[("{P}e",["out"],[])],[],"x","b",[],[])', "expected string ')'"),
        (f'Derive([],[("{P}",(["out"],[("a",["b"])]))],[],"x","b",[],[])', "expected string '['"),
        ('Derive([("out","nix","","")],[],[],"x","b",[],[])', "bad path 'nix' in derivation"),
        ('Derive([("out","","r:sha256","1234")],[],[],"x","b",[],[])', "bad path '' in derivation"),
        (f'Derive([("out","{P}","r:sha256","")],[],[],"x","b",[],[])', "an output that is addressed by its content has no path"),
        ('Derive([("out","","r:r:sha256","")],[],[],"x","b",[],[])', "unknown hash algorithm 'r:r:sha256'"),
        (f'Derive([("out","{P}","blake3","00")],[],[],"x","b",[],[])', "unknown hash algorithm 'blake3'"),
        (f'Derive([("out","{P}","sha1","00")],[],[],"x","b",[],[])', "hash '00' has wrong length for hash algorithm 'sha1'"),
        (f'Derive([("out","{P}","sha1","sha1:00")],[],[],"x","b",[],[])', "hash 'sha1:00' is not a digest alone"),
    ],
)
def test_what_is_no_derivation_is_refused(text: str, problem: str) -> None:
    with pytest.raises(ConversionError) as caught:
        parse(text.encode(), "x")
    assert caught.value.message.startswith(f"error parsing derivation 'x': {problem}")


def test_what_nix_reads_leniently_is_read() -> None:
    assert parse(rb'Derive([("out","","","x")],[],[],"x","b",["\q"],[("a","1"),("a","2")])', "x") == Derivation(
        "x", {"out": Output()}, system="x", builder="b", arguments=["q"], environment={"a": "2"}
    )
    base32 = f'Derive([("out","{P}","sha1","{"0" * 31}1")],[],[],"x","b",[],[])'
    assert parse(base32.encode(), "x").outputs["out"].digest == "01" + "00" * 19


def test_large_derivations_are_read_in_linear_time() -> None:
    large = Derivation("x", arguments=["a"] * 100_000, environment={"a": "\\" * 500_000 + "é" * (16 << 20)})
    assert parse(unparse(large), "x") == large


def test_nesting_is_bounded() -> None:
    inner = '["d"]'
    for _ in range(MAX_DYNAMIC + 5):
        inner = f'(["d"],[("a",{inner})])'
    with pytest.raises(ConversionError, match="too deeply"):
        parse(f'DrvWithVersion("xp-dyn-drv",[],[("{P}",{inner})],[],"x","b",[],[])'.encode(), "x")
