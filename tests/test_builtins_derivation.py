"""`derivationStrict`: what depends on experimental features, where errors are said to be, and what must hold.

Expected paths are what C++ Nix printed. Pairs of programs and results are in `tests/lang` (`*-derivation-*`).
"""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aionix.errors import ContextError, InfiniteRecursion, InvalidHash, NixError, NotAvailable, StackOverflow
from aionix.evaluation import Evaluation, EvaluationResult
from aionix.rendering import render
from io_backends import Memory

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    return "asyncio"  # which loop it is does not matter here


FEATURES = ("ca-derivations", "impure-derivations", "dynamic-derivations", "git-hashing")
PRELUDE = """
let
  make = name: attributes: derivation ({ inherit name; system = "s"; builder = "b"; } // attributes);
  inherit (builtins) outputOf;
  text = builtins.unsafeDiscardOutputDependency;
  known = make "known" { outputs = [ "out" "dev" ]; };
  floating = make "floating" { __contentAddressed = true; outputs = [ "out" "dev" ]; };
  impure = make "impure" { __impure = true; };
  dynamic = make "dynamic.drv" { __contentAddressed = true; outputHashMode = "text"; outputHashAlgo = "sha256"; };
in
"""


async def evaluated(code: str, features: tuple[str, ...] = FEATURES) -> EvaluationResult:
    evaluation = Evaluation.builder(Memory({})).mode("strict").features(features).build()
    return await evaluation.evaluate(code, base_dir="/")


async def paths(attributes: str) -> object:
    code = f'{PRELUDE} let d = make "d" {{ {attributes} }}; in [ d.drvPath d.outPath ]'
    return (await evaluated(code)).unwrap().to_python()


async def error(code: str, features: tuple[str, ...] = FEATURES) -> NixError:
    [found] = (await evaluated(code, features)).errors
    return found


FLOATING = {
    "__contentAddressed = true;": ("/nix/store/k2n2q3lkri5w63q8qkrkqn07vxdaylkn-d.drv", "/1mmn9i218xr8i4bdy5kiylxwzwsdypimyggz4igyhbzvlpz5nz5g"),
    "__contentAddressed = true; outputHashMode = \"flat\"; outputHashAlgo = \"sha1\";": ("/nix/store/pvpjvm635md47hg5sb8xsvadlq8kzcf7-d.drv", "/1cg8q6vimnwq9l76a2fxi0gm2h6is05ha6r7ssf5598m3d4hjjdd"),
    "__contentAddressed = true; __structuredAttrs = true; a = floating;": ("/nix/store/9gjprlfikim7mqr3xy4kzinqrf5ylwm4-d.drv", "/1dij500hvaqyrdxaf2w6yg87zs14qgyibg169fi5jlxp3h9x1x0z"),
    "__contentAddressed = true; outputHashMode = \"git\"; outputHashAlgo = \"sha1\";": ("/nix/store/h8cfbwih6ipwmw8ksid23a2zjmg5mlbx-d.drv", "/0v9w5qdhb8d6i2swjp1zf5fz5y1xmzyxaiqj9b7i7xgcv3xisg1n"),
    "__impure = true;": ("/nix/store/p50hfrnx0dz2avq9dmxq3li45fk2z64n-d.drv", "/1ma5r9yfy5780x4bqw3w6iya42lanph41bbk53fqgw7wjyiiwr17"),
    "__contentAddressed = false; __impure = false;": ("/nix/store/avaq7w5dkjl9qb7swizia7m7800qmw40-d.drv", "/nix/store/jpf8by5gk0yxsj2iszqb1w0ss748snal-d"),
    "__contentAddressed = true; outputHash = \"sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\";": ("/nix/store/0gv7f6dvg3yr8wqs832rlvsgnqsqqk05-d.drv", "/nix/store/lr5pnc5yz8g4j4k8vxky2dm3d7a17jds-d"),
    "a = floating; b = floating.dev;": ("/nix/store/mpwf9a3552y36vkprscrbhqdhaj6dlvv-d.drv", "/1z1dzkdmzg82xa2arzpnnl7l9vkdb452dh11k4s7145bk97v0yq6"),
    "a = floating.drvPath; b = text floating.drvPath;": ("/nix/store/zcpk39xkcvrh508vsp68dx2s678cdq80-d.drv", "/1d1hxdr0zn4x6m9shswq785cxl661p2z6zwnd15c1j34p0byslrk"),
    "a = impure;": ("/nix/store/jhaziwzj666yf4fx190c75586kkfnnwd-d.drv", "/1pga6iqxv284nvwzz0pwn0lkp9d66ms2jbn5rdnmklcpfs39ni63"),
    "a = make \"between\" { inherit floating; };": ("/nix/store/nzvf1wjv35b4dmkvhqqjxsbqj4jcnv2w-d.drv", "/0di53074v9whyvrfizhc227bvpsi8k0ww5nm0ys5zfga3zaj2i1q"),
    "outputHash = \"sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\"; a = floating;": ("/nix/store/9wjf5i3m0pi60kp5ym8msn3a6ksm9sbc-d.drv", "/nix/store/lr5pnc5yz8g4j4k8vxky2dm3d7a17jds-d"),
    "outputHash = \"sha1-EfatjsUqKYSrqv18O1FlA3hcIHI=\"; outputHashMode = \"git\";": ("/nix/store/4sqqn37qly60ijk4ywz1rqwz491d0zkw-d.drv", "/nix/store/8m3xmhimqlkb3gy485agib91nq5mkf1w-d"),
    "outputHash = \"sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\"; outputHashMode = \"text\";": ("/nix/store/pg3bhf2x7lmc99wrqvh5wqajhgpnc1qp-d.drv", "/nix/store/2xzzy24vfss5826fm0v4fzgpff8gyva4-d"),
    "a = outputOf dynamic.outPath \"out\";": ("/nix/store/p2izv1xfiabiqpbjgsysnadk3cxad6d0-d.drv", "/18hy90ss1z21ijp485pjxc74cr55ssxm6wqmjac3rmkn3b4as9cx"),
    "a = outputOf (outputOf dynamic.outPath \"out\") \"lib\"; b = dynamic;": ("/nix/store/1ivk432gayxnnf7q2kyw9hy9n500kv5s-d.drv", "/18sdsd1kx0gkr0maqxxpclx7q84jinlchf7m4sn12693vlp12isi"),
    "a = outputOf (text known.drvPath) \"dev\"; b = outputOf (text floating.drvPath) \"dev\";": ("/nix/store/zf521brqlrcpbn96c0c1ppnhcmi236y8-d.drv", "/0ilbrvdi43qzhqb72l611y521zghapjvq24hm1lva538mh8qidsv"),
    "a = outputOf known.outPath \"out\";": ("/nix/store/l80b92y96bmzmzwc43h47wrghlh8xcyk-d.drv", "/nix/store/gw0z3khmnqs8ls036hlkpch018f0iqzv-d"),
}  # fmt: skip


@pytest.mark.parametrize("attributes", FLOATING)
async def test_what_is_addressed_by_a_content_that_nobody_knows_yet(attributes: str) -> None:
    assert await paths(attributes) == list(FLOATING[attributes])


@pytest.mark.parametrize(
    ("attributes", "feature"),
    [
        ("__contentAddressed = true;", "ca-derivations"),
        ("__impure = true;", "impure-derivations"),
        ('outputHashMode = "text";', "dynamic-derivations"),
        ('outputHashMode = "git";', "git-hashing"),
    ],
)
async def test_a_feature_that_is_off_is_named(attributes: str, feature: str) -> None:
    code = f'{PRELUDE} make "d" {{ {attributes} }}'
    found = await error(code, tuple(set(FEATURES) - {feature}))
    assert isinstance(found, NotAvailable)
    assert found.message == (
        f"experimental Nix feature '{feature}' is disabled; add '--extra-experimental-features {feature}' to enable it"
    )


async def test_output_of_exists_where_its_feature_is_on() -> None:
    assert (await evaluated("builtins ? outputOf")).unwrap().to_python() is True
    assert (await evaluated("builtins ? outputOf", ())).unwrap().to_python() is False


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ('outputOf "x" "out"', "string 'x' has 0 entries in its context. It should only have exactly one entry"),
        ('outputOf known.drvPath "out"', "string '{known}' has a context which refers to a complete source and binary closure. "
            "This is not supported at this time"),
        ('outputOf (text known.drvPath) "lib"', "derivation '{known}' does not have output 'lib'"),
        ('outputOf (text known.drvPath + "x") "out"', "path string '{known}x' has context with the different path '{known}'"),
        ('outputOf "${known}/x" "out"', "string '{out}/x' has context with the output 'out' from derivation '{known}', but the string is not "
            "the right placeholder for this derivation output. It should be '{out}'"),
        ("builtins.getContext (outputOf floating.outPath \"x\")", "cannot operate on output 'out' of the unbuilt derivation "
            "'{floating}'"),
        ('outputOf 1 "out"', "expected a string but found an integer: 1"),
        ('outputOf known.outPath known.outPath', "the string '{out}' is not allowed to refer to a store path (such as '!out!{base}')"),
    ],
)  # fmt: skip
async def test_what_is_no_output_has_none(code: str, message: str) -> None:
    known = (
        (await evaluated(f"{PRELUDE} [ known.drvPath known.outPath floating.drvPath ]")).unwrap().to_python()
    )
    assert isinstance(known, list)
    drv, out, floating = known
    found = await error(PRELUDE + code)
    assert found.message == message.format(known=drv, out=out, floating=floating, base=drv.rpartition("/")[2])


async def test_content_addressed_and_impure_is_a_contradiction() -> None:
    found = await error(f'{PRELUDE} make "d" {{ __contentAddressed = true; __impure = true; }}')
    assert found.message == "derivation cannot be both content-addressed and impure"


@pytest.mark.parametrize(
    ("mode", "who"),
    [("git", "Git file ingestion must use SHA-1 hash"), ("text", "text ingestion must use SHA-256 hash")],
)
async def test_some_modes_know_one_algorithm(mode: str, who: str) -> None:
    found = await error(
        f'{PRELUDE} make "d" {{ outputHash = ""; outputHashAlgo = "sha512"; outputHashMode = "{mode}"; }}'
    )
    assert isinstance(found, InvalidHash)
    assert found.message == who


async def test_the_way_to_an_error_names_the_derivation_and_the_attribute() -> None:
    found = await error(
        '(derivation {\n  name = "a";\n  system = "s"; builder = "b";\n  x = [ (throw "no") ];\n}).drvPath'
    )
    frames = [
        (frame.message, found.sources.describe(frame.span))
        for frame in found.frames
        if frame.span and found.sources
    ]
    assert ("while evaluating attribute 'x' of derivation 'a'", "«string»:4:3") in frames
    [place] = [text for text, _ in found.frames if "whose name" in text]
    assert place == "while evaluating derivation 'a'\nwhose name attribute is located at «string»:2:3"
    shown = render(found, show_trace=True)
    assert (
        "… while evaluating derivation 'a'\n         whose name attribute is located at «string»:2:3\n"
        in shown
    )
    assert "at «string»:4:10" in shown


async def test_the_name_is_looked_at_first() -> None:
    found = await error('derivationStrict { name = throw "the name"; builder = throw "the builder"; }')
    assert found.message == "the name"
    assert "while evaluating the derivation attribute 'name'" in [frame.message for frame in found.frames]


async def test_derivations_that_need_each_other_are_an_infinite_recursion() -> None:
    circle = 'let a = make "a" { inherit b; }; b = make "b" { inherit c; }; c = make "c" { args = [ a ]; }; in a.drvPath'
    assert isinstance(await error(PRELUDE + circle), InfiniteRecursion)
    itself = 'let a = make "a" { self = a.outPath; }; in a'
    assert isinstance(await error(PRELUDE + itself), InfiniteRecursion)


@pytest.mark.parametrize(
    "attribute", ["args = loop;", "a = loop;", "__structuredAttrs = true; a = loop;", "a.outPath = set;"]
)
async def test_what_never_ends_is_an_error(attribute: str) -> None:
    endless = "let loop = [ loop ]; set = { outPath = set; }; in "
    assert isinstance(await error(f'{PRELUDE} {endless} (make "a" {{ {attribute} }}).drvPath'), StackOverflow)


async def test_a_chain_of_3000_derivations_is_nothing_special() -> None:
    chain = 'builtins.genList (i: make "d${toString i}" { dep = if i == 0 then null else builtins.elemAt chain (i - 1); }) 3000'
    result = await evaluated(f"{PRELUDE} let chain = {chain}; in (builtins.elemAt chain 2999).drvPath")
    assert result.unwrap().to_python() == "/nix/store/yx3mrspzqfzi4y6gz56pc0fvcghb619h-d2999.drv"


async def test_structured_attributes_tell_what_they_disable() -> None:
    told: list[str] = []
    evaluation = Evaluation.builder(Memory({})).trace(told.append).build()
    await evaluation.evaluate(
        f'{PRELUDE} (make "d" {{ __structuredAttrs = true; maxSize = 1; }}).drvPath', base_dir="/"
    )
    assert told == [
        "warning: In a derivation named 'd', 'structuredAttrs' disables the effect of the derivation attribute 'maxSize'; "
        "use 'outputChecks.<output>.maxSize' instead"
    ]


async def test_an_empty_hash_is_told() -> None:
    told: list[str] = []
    evaluation = Evaluation.builder(Memory({})).trace(told.append).build()
    await evaluation.evaluate(
        f'{PRELUDE} (make "d" {{ outputHash = ""; outputHashAlgo = "md5"; }}).drvPath', base_dir="/"
    )
    assert told == ["warning: found empty hash, assuming 'md5-AAAAAAAAAAAAAAAAAAAAAA=='"]


async def test_the_store_knows_what_was_made() -> None:
    evaluation = Evaluation.builder(Memory({})).build()
    result = await evaluation.evaluate(f'{PRELUDE} (make "d" {{ inherit known; }}).drvPath', base_dir="/")
    path = result.unwrap().to_python()
    assert {derivation.name for derivation in evaluation.store.derivations.values()} == {"known", "d"}
    assert evaluation.store.derivations[str(path)].environment["known"].endswith("-known")


async def test_to_file_may_not_refer_to_what_is_built() -> None:
    found = await error(f'{PRELUDE} builtins.toFile "t" known.outPath')
    assert isinstance(found, ContextError)


# -- laws

NAMES = st.text("abcxyz_", min_size=1, max_size=5).map(lambda name: f"v{name}")
VALUES = st.one_of(
    st.integers(-(2**40), 2**40).map(lambda number: f"({number})"),
    st.sampled_from(
        ["null", "true", "false", "known", "known.dev", "known.drvPath", "[ ]", '[ 1 [ "a" ] known ]', "1.5"]
    ),
    st.text("ab é\t\n\\", max_size=6).map(lambda text: '"' + text.replace("\\", "\\\\") + '"'),
)
ATTRIBUTES = st.dictionaries(NAMES, VALUES, max_size=6)


def nix_set(attributes: list[tuple[str, str]]) -> str:
    return "{ " + " ".join([f"{name} = {value};" for name, value in attributes]) + " }"


async def drv_path(attributes: str) -> object:
    return (await evaluated(f'{PRELUDE} (make "d" {attributes}).drvPath')).unwrap().to_python()


@settings(max_examples=30, deadline=None)
@given(attributes=ATTRIBUTES, data=st.data())
async def test_the_order_of_attributes_does_not_matter(
    attributes: dict[str, str], data: st.DataObject
) -> None:
    shuffled = data.draw(st.permutations(list(attributes.items())))
    assert await drv_path(nix_set(list(attributes.items()))) == await drv_path(nix_set(shuffled))


@settings(max_examples=30, deadline=None)
@given(attributes=ATTRIBUTES, name=NAMES)
async def test_an_ignored_null_is_as_if_it_were_not_there(attributes: dict[str, str], name: str) -> None:
    others = [(key, value) for key, value in attributes.items() if value != "null" and key != name]
    ignoring = [*others, ("__ignoreNulls", "true")]
    assert await drv_path(nix_set([*ignoring, (name, "null")])) == await drv_path(nix_set(others))


@settings(max_examples=30, deadline=None)
@given(left=ATTRIBUTES, right=ATTRIBUTES)
async def test_other_attributes_make_another_derivation(left: dict[str, str], right: dict[str, str]) -> None:
    texts = [f"builtins.mapAttrs (n: toString) {nix_set(list(each.items()))}" for each in (left, right)]
    same = (await evaluated(f"{PRELUDE} {texts[0]} == {texts[1]}")).unwrap().to_python()
    assert (await drv_path(f"({texts[0]})") == await drv_path(f"({texts[1]})")) is same
