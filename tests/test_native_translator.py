"""Compiled code means what interpreted code means: values, laziness, errors and their places."""

from __future__ import annotations

from itertools import product

import anyio
import pytest

from aionix.evaluation import Tier
from aionix.values.functions import call
from aionix.values.thunk import Value
from tests.fuzz.tiers import evaluation_in, outcome, told

#: Runs of a piece of code in `auto` before it is compiled, here.
FUEL = 3
RUNS: dict[Tier, int] = {"interpreter": 1, "native": 2, "auto": FUEL + 2}


def nested(level: str, count: int, innermost: str) -> str:
    """`level` around itself: its `%n` is the number of the level, its `%s` the next one."""
    text = innermost
    for n in reversed(range(count)):
        text = level.replace("%n", str(n)).replace("%s", text)
    return text


OPERATORS = ["+", "-", "*", "/", "==", "!=", "<", "<=", ">", ">=", "&&", "||", "->", "++", "//"]
OPERANDS = ["1", "0", "2.5", "true", "null", '"s"', "/p", "[ 1 ]", "{ a = 1; }", "(x: x)", '(throw "no")']
BORDERS = ["9223372036854775807", "(-9223372036854775807 - 1)", "4611686018427387904", "(-1)", "0", "1"]

ARITHMETIC = """
1 + 2 * 3 - 4 / 2
let f = a: b: a - b * a; in [ (f 3 4) (f 1.5 2) (f (-3) 2.5) ]
- (- 3)
let f = x: - x; in [ (f 1) (f 2.5) (f (f 9223372036854775807)) ]
let f = x: - x; in f (-9223372036854775807 - 1)
- "a"
! true
! 1
let f = x: ! x; in [ (f true) (f (f true)) (f 0) ]
1.0 / 3
1 / 0
1.0 / 0
let f = a: b: (a / b) + (b / a); in f 0 1
let f = a: b: (a / b) == (b / a); in f 1 0
[ (1 / 0) ]
0.1 + 0.2
1.0e300 * 1.0e300
1.0e300 * 1.0e300 - 1.0e300 * 1.0e300
2.0 == 2
1 < 1.5
-0.0
[ 1 2 ] < [ 1 3 ]
[ 1 (throw "late") ] < [ 2 (throw "never") ]
[ 1 (throw "late") ] < [ 1 (throw "never") ]
"a" < "b" && "b" <= "b" && !("b" > "c")
null < null
! (null < true)
([ true ] < [ [ ] ]) -> true
let f = a: b: ! (a == b) && ! (a < b); in [ (f 1 2) (f 1 "a") ]
true < false
/a < /b
null == 5
5 == null
"x" == null
null == null
null != { }
let f = x: x == null; in [ (f 1) (f null) (f "") ]
let f = x: x == "a"; in [ (f "a") (f "b") (f 1) (f (throw "no")) ]
let f = x: "a" != x; in [ (f "a") (f "b") (f 1.0) ]
let s = builtins.appendContext "a" { }; in s == "a"
"a" + "b" + "c"
"a" + /b
/a + "b"
/a + /b
1 + "a"
"a" + 1
{ __toString = self: "s"; } + "t"
{ outPath = "s"; } + "t"
"t" + { outPath = throw "no path"; }
(x: x) == (x: x)
let f = x: x; in f == f
let f = x: x; in { inherit f; } == { inherit f; }
let f = x: f; in f == f
rec { f = x: x; same = f == f; within = [ f ] == [ f ]; }
let f = { g ? (x: x) }: [ g ] == [ g ]; in f { }
let f = { g ? (x: h), h ? (x: g) }: [ [ g ] == [ g ] (g 1 == h) ]; in f { }
"""

STRINGS = r"""
"a${"b"}c"
"${toString 1}${"x"}"
"${1}"
"${null}"
"${[ ]}"
"${/. + "a"}"
"${{ outPath = "o"; }}"
"${{ __toString = self: "t"; }}"
"${{ __toString = self: 1; }}"
"${{ __toString = self: throw "inside"; }}"
"${{ }}"
"${x: x}"
let f = x: "<${x}>"; in [ (f "a") (f { outPath = "b"; }) ]
let f = x: "<${x}>"; in f true
let f = x: y: "${x}${y}"; in f "a" (throw "second")
let f = x: y: "${x}${y}"; in f (throw "first") (throw "second")
''
  one ${"two"}
    three ''${four} $${five} '''
''
"\n\r\t\\\"\${}$"
""
toString [ 1 "a" [ true false null ] ]
/a/${"b"}/c
/a/${1}
~/x
<nixpkgs>
"é ü 🦊"
"§0"
"§" + "0"
"§0${"§1"}§2"
[ "§0" "§1" "§99999999999" "§" "§-1" "§x" ]
{ "§0" = "§1"; "§1" = "§0"; }
{ "§0" = 1; }."§0"
{ "§0" = 1; }."§1" or "§2"
{ "§0" = 1; } ? "§0"
{ "§0" = 1; }."§7"
let f = { "a" ? "§0" }: a; in f { }
let "§0" = 1; "§1" = 2; in { inherit "§0" "§1"; }
rec { "import os" = 1; "__import__('os')" = 2; "t1" = 3; "u" = 4; "unit" = 5; "'" = 6; "\"" = 7; "\n" = 8; "{}" = 9; "%s" = 10; "\\" = 11; }
let t1 = 1; t2 = t1 + 1; u0 = t2 + 1; u = u0 + 1; unit = u + 1; m = unit + 1; d = m + 1; n = d + 1; a = n + 1; in [ t1 t2 u0 u unit m d n a ]
let None = 1; True = 2; self = 3; lambda = 4; def = 5; class = 6; print = 7; in [ None True self lambda def class print ]
{ None, True, force, call, MethodType ? 1, AttrSet ? force }: 1
({ None, True, force, call, MethodType ? 1, AttrSet ? force }: [ None True force call MethodType AttrSet ]) { None = 1; True = 2; force = 3; call = 4; }
({ None }: None) { }
({ None }: None) { None = 1; True = 2; }
"""

JUMPS = """
let f = x: [ (x == { }) ({ } == x) (x != [ ]) ]; in [ (f { }) (f [ ]) (f { a = throw "b"; }) (f [ (throw "c") ]) (f 1) ]
let f = x: x == { }; in f { type = throw "asked"; }
let f = x: { } == x; in f { type = throw "not asked"; }
with { a = 1; }; (if a == 2 then a else builtins.foldl' (x: y: x + y) a) [ 1 2 ]
let f = c: xs: n: (if c then x: x + 100 else builtins.elemAt xs) n; in [ (f true [ 5 6 ] 1) (f false [ 5 6 ] 1) ]
let g = a: b: a - b; f = c: n: with { q = 1; }; (if c then x: x + 100 else g n) q; in [ (f true 1) (f false 1) ]
let g = a: b: a - b; f = s: n: (s.x or (g n)) 2; in [ (f { x = y: y; } 1) (f { } 1) ]
if true then 1 else 2
if 1 then 1 else 2
if "" then 1 else 2
if throw "c" then 1 else 2
let f = b: if b then 1 else 2; in [ (f true) (f false) (f null) ]
let f = b: (if b then 1 else 2) + (if ! b then 10 else 20); in [ (f true) (f false) ]
let f = a: b: if if a then b else ! b then "x" else "y"; in [ (f true true) (f true false) (f false true) (f false 1) ]
let f = a: b: if a then if b then 1 else 2 else if b then 3 else 4; in [ (f true true) (f true false) (f false true) (f false false) ]
let f = a: b: [ (if a then if b then 1 else 2 else if b then 3 else 4) ]; in [ (f true true) (f true false) (f false true) (f false false) ]
let f = a: b: 1 + (if a then if b then 1 else 2 else if b then throw "x" else 4); in [ (f true true) (f true false) (f false false) (f false true) ]
let f = b: x: (if b then x else x + 1) * x; in [ (f true 2) (f false 2) (f true "s") ]
let f = b: x: if b then x.a else x.b; in [ (f true { a = 1; }) (f false { b = 2; }) (f true { b = 2; }) ]
if true then (if false then 1 else { a.b = [ 2 ]; }) else 3
true && false
true && 1
1 && true
false && throw "no"
true || throw "no"
false || 1
"" || true
true -> false
false -> throw "no"
true -> 1
1 -> true
let f = a: b: c: a && b || ! c -> a; in [ (f true true true) (f false true false) (f true false 1) ]
let f = a: b: if a && b then 1 else if a || b then 2 else 3; in [ (f true true) (f true false) (f false true) (f false false) ]
let f = a: (a.b or false) && (a.c or true); in [ (f { }) (f { b = true; }) (f { b = true; c = 1; }) ]
let f = a: b: (a && (if b then true else 1)); in [ (f true true) (f false false) (f true false) ]
assert true; 1
assert false; 1
assert 1; 1
assert "a" == "b"; 1
assert { a = 1; } == { a = 2; }; 1
assert [ 1 2 ] == [ 1 2 ]; 1
assert 1 == 2 -> true; 1
let f = x: assert x > 1; x; in [ (f 2) (f 3) (f 1) ]
let f = x: assert x == 1; assert x != 2; x; in [ (f 1) (f 2) ]
let f = x: y: assert x == y; [ x y ]; in [ (f 1 1) (f { a = 1; } { a = 2; }) ]
let f = x: y: 1 + (assert x == y; x) + (assert x != 3; y); in [ (f 1 1) (f 3 3) ]
let f = x: (if x then assert x; 1 else assert x; 2); in [ (f true) (f false) ]
{ a.b.c = 1; }.a.b.c
{ a.b.c = 1; }.a.x.c
{ a = 1; }.a.b
1.a
"a".b
{ }.a or 1
{ a = 2; }.a or (throw "no")
{ a.b = 3; }.a.b or 1
{ a = 3; }.a.b or 1
{ a = { }; }.a.b.c or 1
1.a.b or 2
("k".d.r or (assert 1; 1))
({ }.r.l.f or (if 1 then 1 else 1))
("".${2} or (assert false; 1))
{ }.a or (if true then 1 else 2)
let f = x: x.a or (if x ? b then x.b else { c = 3; }); in [ (f { a = 1; }) (f { b = 2; }) (f { }) ]
let f = x: x.a.b or (assert x != { }; 5); in [ (f { a.b = 1; }) (f { a = 1; }) (f { }) ]
let f = x: (x.a or x.b or x.c or 9) + 1; in [ (f { a = 1; }) (f { b = 2; }) (f { c = 3; }) (f { }) (f { a = "x"; }) ]
let f = x: n: x.${n}.${n} or 7; in [ (f { a.a = 1; } "a") (f { a = 1; } "a") (f { } "b") (f { } 1) ]
let f = x: x.${throw "name"} or 7; in f { }
let f = x: x.a.${throw "name"} or 7; in [ (f { }) (f { a = { }; }) ]
let f = x: x.a.b.c or (x.a.b or (x.a or x)); in [ (f { }) (f { a = 1; }) (f { a.b = 2; }) (f { a.b.c = 3; }) ]
let f = x: (x.y or (z: z + 1)) 2; in [ (f { }) (f { y = z: z; }) (f { y = 1; }) ]
let f = x: [ (x.a or x) (x.b or (y: x)) ]; in builtins.length (f { })
{ } ? a
{ a.b = 1; } ? a.b
{ a.b = 1; } ? a.c.d
{ a = 1; } ? a.b
1 ? a
"s" ? a.b
{ a = throw "no"; } ? a
{ a = throw "no"; } ? a.b
let f = x: n: [ (x ? ${n}) (x ? ${n}.${n}) (x ? a.${n} && true) ]; in [ (f { } "a") (f { a.a = 1; } "a") (f { a = 1; } "b") (f { } 1) ]
let f = x: x ? a.${throw "name"}; in [ (f { }) (f { a = { }; }) ]
{ ${null} = 1; a = 2; }
{ ${"a"} = 1; ${"b" + "c"} = 2; }
{ ${"a"} = 1; a = 2; }
let n = "a"; in { ${n} = 1; a = 2; }
let n = "a"; in { ${n} = 1; ${n} = 2; }
{ ${1} = 1; }
{ ${throw "name"} = 1; }
{ a = { ${"x"} = 1; ${null} = 2; }; }.a.x
"""

SCOPES = """
let a = 1; b = a + 1; c = b + a; in [ a b c ]
let a = b; b = a; in a
let a = [ a ]; in builtins.length a
let x = x; in x
rec { a = b; b = a; }.a
rec { a = b + 1; b = 1; c = { inherit a b; }; }
rec { a = { b = c; }; c = 2; d = a.b; }
let inherit ({ a = 1; b = 2; }) a b; in a + b
let inherit (throw "set") a; in 1
let inherit (throw "set") a; in a
let s = { a = 1; }; inherit (s) a b; in a
let s = { a = 1; }; inherit (s) a b; in b
let x = 1; in { inherit x; y = x; }
rec { inherit ({ f = x: x + 1; }) f; g = f 1; }
{ inherit (rec { a = b; b = 1; }) a b; c.inherit = 1; }
with { a = 1; }; a
with { }; a
with 1; a
with throw "set"; a
with throw "set"; 1
let a = 1; in with { a = 2; }; a
with { a = 1; }; with { b = 2; }; [ a b ]
with { a = 1; b = 1; }; with { b = 2; }; [ a b ]
with { a = 1; }; with { a = throw "inner"; }; a
with { a = 1; }; with throw "inner"; a
with { a = 1; }; x: with { b = 2; }; y: [ a b x y ]
(with { a = 1; }; x: with { b = x; }; y: [ a b x y ]) 3 4
(with { a = 1; }; x: with { b = x; }; y: [ a c ]) 3 4
with { a = with { b = 1; }; b; }; [ a (with { a = 2; }; a) a ]
let f = s: with s; if c then with { a = 5; }; a else with s; a; in [ (f { c = true; a = 1; }) (f { c = false; a = 1; }) (f { c = 1; }) ]
let f = s: (with s; if c then a else b) + (with s; b); in [ (f { c = true; a = 1; b = 2; }) (f { c = false; b = 1; }) (f { c = true; b = 1; }) ]
let f = s: with s; (x: y: with x; with y; [ a b c ]); in f { a = 1; } { b = 2; } { c = 3; }
let f = s: o: with o; with s; [ a b ]; in [ (f { a = 1; } { a = 2; b = 3; }) (f { b = 1; } { a = 2; b = 3; }) ]
let f = s: o: with o; with s; a + b; in [ (f { a = 1; } { a = 2; b = 3; }) (f { b = 1; } { a = 2; b = 3; }) (f { a = 1; } 1) ]
let f = s: o: with o; with s; a + b; in [ (f { a = 1; } { a = 2; b = 3; }) (f 1 { a = 2; b = 3; }) ]
let f = s: o: with o; with s; a + b; in f { a = 1; } (throw "outer")
let f = s: o: with o; with s; a + a; in f { a = 1; } (throw "outer")
let f = s: o: with o; with s; a; g = o: f { b = 1; } o; in [ (g { a = 1; }) (g (rec { a = b; b = 2; })) (g { b = 1; }) ]
let f = s: o: p: with p; with o; with s; a + b + c; in [ (f { a = 1; } { b = 2; } { c = 3; }) (f { } { } { a = 1; b = 2; c = 3; }) (f { } { } { a = 1; }) ]
let f = o: with o; s: with s; x: y: x + a + b + y; in [ (f { a = 1; b = 10; } { b = 2; } 3 4) (f { b = 1; } { a = 2; } 3 4) ]
let f = o: with o; s: with s; n: m: if n == 0 then a else f o s (n - 1) 0 + b; in [ (f { a = 1; b = 2; } { a = 3; } 9 0) (f { a = 1; b = 2; } { b = 3; } 9 0) ]
let f = o: with o; s: with s; (x: x + a) b; in [ (f { a = 1; b = 2; } { a = 3; }) (f { a = 1; b = 2; } { b = 3; }) (f { a = 1; } { b = 1; }) (f { a = 1; } 1) ]
let f = o: with o; s: with s; x: a; in f { c = 1; } { b = 2; } 3
with { map = 1; builtins = 2; }; [ (builtins ? map) (map (x: x) [ ]) ]
with (rec { f = x: if x == 0 then "done" else f (x - 1); }); f 5
let s = with s; { a = 1; b = a; }; in s
let map = x: x; in map 1
let true = false; in true
let { body = a; a = 1; }
let { body = b; a = 1; b = a + c; c = 2; }
rec { __overrides = { a = 2; }; a = 1; b = a; }
let f = a: { b ? a, c ? b + 1, ... }@args: [ a b c (args ? b) ]; in [ (f 1 { }) (f 1 { b = 2; }) (f 1 { c = 3; d = 4; }) ]
({ a ? b, b ? a }: a) { }
({ a ? b, b ? a }: a) { a = 1; }
({ a ? b, b ? a }: b) { a = 1; }
({ a ? c + 1, b ? a + 1, c ? 1 }: [ a b c ]) { }
({ a ? c + 1, b ? a + 1, c ? 1 }: [ a b c ]) { a = 5; }
({ a ? c + 1, b ? a + 1, c ? 1 }: [ a b c ]) { b = 5; }
({ a ? (x: b x), b ? (x: if x == 0 then 0 else a (x - 1)) }: a 5) { }
({ a ? (x: b x), b ? (x: if x == 0 then 0 else a (x - 1)) }: a 5) { b = x: 7; }
({ a ? [ b ], b ? { inherit a; } }: b.a == a) { }
({ a, b ? a.x or 1 }: b) { a = { }; }
({ a, b ? throw "default" }: a) { a = 1; }
({ a, b ? throw "default" }: b) { a = 1; }
({ a }: a) { }
({ a, b }: a) { a = 1; }
({ a }: a) { a = 1; b = 2; }
({ a, ... }: a) { b = 2; }
({ }: 1) { }
({ }: 1) { a = 1; }
({ ... }: 1) { a = 1; }
({ ... }: 1) 1
({ a }: a) 1
(args@{ a ? 1 }: args) { }
({ a ? 1, ... }@args: args // { inherit a; }) { b = throw "no"; }
({ a ? args, ... }@args: a) { b = 1; }
let f = { a ? 1, b ? a }: a + b; in map f [ { } { a = 2; } { b = 5; } { a = 1; b = 1; } ]
let f = { apple, pear ? 1 }: apple; in f { aple = 1; }
let f = { apple, pear ? 1 }: apple; in f { apple = 1; pare = 2; }
({ a ? 1, b ? (c: c + a) }: b a) { }
(x@{ y ? x }: y) { }
({ x ? (y: y + z), z ? 1 }: with { z = 100; }; [ (x 1) z ]) { }
({ x ? with { q = 1; }; q + z, z ? 1 }: x) { }
with { w = 10; }; ({ x ? w + z, z ? (y: w) 1 }: [ x z ]) { }
with { w = 10; }; ({ x ? (y: w + z y), z ? (y: w) }: x 1) { }
"""

FUNCTIONS = """
let l = { g = a: b: a - b; }; f = lib: lib.g 5 2; in map f [ l l l l l l (l // { }) { g = a: b: b; } { g = a: { __functor = _: b: a + b; }; } { g = builtins.add; } { g = a: a; } { } 3 ]
let f = lib: lib.g 5 2; l = { g = builtins.sub; }; in map f [ l l l l l l { g = builtins.add; } { g = x: y: z: x; } { g = a: throw "no"; } ]
let l = { g = a: b: a + b; h = a: a * 2; }; f = with l; x: g (h x) 1; in map f [ 1 2 3 4 5 6 7 "a" null ]
let l = { g = a: b: a + b; }; f = m: with l; with m; g 1 2; in map f [ { } { } { } { } { } { g = a: b: a - b; } { g = a: 7; } 3 ]
let l = { g = a: b: throw "g${toString (a + b)}"; }; f = with l; x: g x 1; in map f [ 1 2 3 4 5 ] ++ [ (f "a") ]
let l = { go = n: s: if n == 0 then s else l.go (n - 1) (s + n); }; in [ (l.go 30 0) (l.go 5 "x") ]
let l = { go = n: if n == 0 then throw "end" else 1 + l.go (n - 1); }; in l.go 20
with { go = n: k: if n == 0 then k else go (n - 1) (k + 1); }; go 3 4
let l = rec { go = n: k: if n == 0 then k else (if n > 3 then l.go else other) (n - 1) (k + 1); other = n: k: l.go n (k * 10); }; in l.go 9 0
(x: x) 1
(x: y: x - y) 5 3
(x: x x) (x: 1)
(x: 1) (throw "lazy")
1 2
"f" 1
null null
{ } 1
{ a = 1; } 1
{ __functor = self: x: x + self.n; n = 1; } 2
{ __functor = 1; } 2
{ __functor = self: 1; } 2
{ __functor = throw "functor"; } 2
let f = { __functor = self: x: if x == 0 then self.done else self (x - 1); done = "d"; }; in f 5
let f = { __functor = { __functor = a: b: c: [ c (b ? x) (a ? __functor) ]; }; x = 1; }; in f 1
map { __functor = self: x: x * 2; } [ 1 2 3 ]
let fib = n: if n < 2 then n else fib (n - 1) + fib (n - 2); in fib 12
let tak = x: y: z: if y < x then tak (tak (x - 1) y z) (tak (y - 1) z x) (tak (z - 1) x y) else z; in tak 6 4 2
let ack = m: n: if m == 0 then n + 1 else if n == 0 then ack (m - 1) 1 else ack (m - 1) (ack m (n - 1)); in ack 2 3
let even = n: if n == 0 then true else odd (n - 1); odd = n: if n == 0 then false else even (n - 1); in [ (even 100) (odd 101) (even 7) ]
let loop = n: acc: if n == 0 then acc else loop (n - 1) (acc + n); in loop 300 0
let loop = n: acc: if n == 0 then throw "end" else loop (n - 1) (acc + n); in loop 5 0
let loop = { n, acc ? 0 }: if n == 0 then acc else loop { n = n - 1; acc = acc + n; }; in loop { n = 100; }
let loop = n: if n == 0 then { }.x else 1 + loop (n - 1); in loop 4
let loop = n: if n == 0 then 1 / 0 else [ (loop (n - 1)) ]; in loop 4
let f = n: { a = n; next = f (n + 1); }; in (f 0).next.next.next.a
let f = n: let y = f (n + 1); in y; in f 0
let f = n: 1 + f (n + 1); in f 0
let s = { __toString = self: "${self}"; }; in "${s}"
let s = { __functor = self: x: s x; }; in s 1
let g = f: x: f (f x); in g (g (g (x: x + 1))) 0
let compose = f: g: x: f (g x); in compose (x: x * 2) (x: x + 1) 5
let y = f: (x: f (v: x x v)) (x: f (v: x x v)); in y (self: n: if n == 0 then 1 else n * self (n - 1)) 10
builtins.foldl' (a: b: a + b) 0 [ 1 2 3 ]
builtins.foldl' (a: b: a + b) 0 [ 1 "2" 3 ]
builtins.map (x: x.y) [ { y = 1; } { } ]
builtins.sort (a: b: a.k < b.k) [ { k = 2; } { k = 1; } { k = 3; } ]
builtins.sort (a: b: a < b) [ 1 "a" ]
builtins.filter (x: x) [ true false 1 ]
builtins.mapAttrs (n: v: n + v) { a = "x"; b = 1; }
builtins.genList (n: n * n) 5
builtins.concatMap (x: [ x x ]) [ 1 2 ]
builtins.tryEval (throw "x")
builtins.tryEval (assert false; 1)
(builtins.tryEval (1 + throw "x")).success
builtins.add 1
builtins.add 1 2
builtins.add 1 "a"
builtins.nope
builtins.nope or 1
builtins ? map
(builtins.head [ (x: x + 1) ]) 2
builtins.head [ ]
builtins.head 1
head [ 1 ]
builtins.seq (throw "a") 1
builtins.deepSeq { a = throw "a"; } 1
builtins.elemAt [ 1 ] 1
builtins.addErrorContext "ctx" (throw "x")
builtins.abort "stop"
throw "x"
throw 1
toString { }
import /nowhere.nix
builtins.functionArgs ({ a, b ? 1 }: a)
builtins.isFunction (x: x)
builtins.unsafeGetAttrPos "a" { a = 1; }
builtins.unsafeGetAttrPos "b" (rec { a = 1; b = a; } // { c = 1; })
let f = x: { a = x; b.c = x; }; in builtins.unsafeGetAttrPos "b" (f 1)
__curPos
{ a = __curPos.line; }
builtins.genericClosure { startSet = [ { key = 0; } ]; operator = x: if x.key > 2 then [ ] else [ { key = x.key + 1; } ]; }
let f = x: x.a + x.a; in [ (f { a = 1; }) (f { a = "s"; }) (f { b = 1; }) ]
let f = x: y: x.a // y // { z = 1; }; in [ (f { a = { }; } { y = 1; }) (f { a = 1; } { }) ]
let f = x: y: x // y; in f { } 1
let f = x: y: x ++ y; in [ (f [ 1 ] [ 2 ]) (f [ ] 1) ]
let f = x: y: x ++ y; in f 1 [ ]
let f = a: b: c: "${a}-${b}${c}"; in [ (f "1" "2" "3") (f "ä" "" "x") (f ./a "" "") (f 1 "" "") ]
let f = a: b: "x${a}" + b + "y" + a; in [ (f "1" "2") (f "ä" "ö") (f "1" 2) ]
[ 1 ] ++ [ (throw "lazy") ]
let f = i: let g = a: b: a; l = builtins.mapAttrs g { x = 1; }; in builtins.seq l [ g ]; in f 1
let f = i: let g = a: b: a; l = builtins.mapAttrs g { x = 1; }; in builtins.seq l.x [ g ]; in f 1
builtins.map + "/x"
let f = x: (assert x; "a") + (toString x); in [ (f true) (f 1) ]
let f = x: (if x then "a" else "b") + "c"; in [ (f true) (f false) ]
(x: x) + "y"
let f = x: x + 1; in [ (f 1) (f 9223372036854775806) ]
let f = x: x + 1; in f 9223372036854775807
let f = x: 2 + x; in [ (f (-9223372036854775807)) (f 9223372036854775806) ]
let f = x: x - 1; in [ (f 1) (f (-9223372036854775807 - 1)) ]
let f = x: 1 - x; in f (-9223372036854775807)
let f = x: y: [ (builtins.add x y) (builtins.sub x y) (builtins.div x y) (builtins.lessThan x y) ]; in [ (f 7 2) (f (-7) 2) (f 1.5 2) ]
let f = x: y: builtins.mul x y; in [ (f 3000000000 3000000000) (f 4611686018427387904 2) ]
let f = x: y: builtins.add x y; in f 9223372036854775807 1
let f = x: y: builtins.div x y; in f 1 0
let f = x: y: [ (builtins.bitAnd x y) (builtins.bitOr x y) (builtins.bitXor x y) ]; in [ (f 12 (-6)) (f 1 "x") ]
let f = s: n: [ (builtins.substring 0 n s) (builtins.substring n 2 s) (builtins.stringLength s) ]; in [ (f "abc" 1) (f "äöü" 3) (f "" 4) (f "abc" (-1)) ]
let f = s: n: builtins.substring n 2 s; in f "abc" (-1)
let f = x: builtins.stringLength x; in [ (f "abc") (f "ä") (f ./a) (f 1) ]
let f = x: builtins.tail x; in [ (f [ 1 2 ]) (f [ 1 ]) (f [ ]) ]
let f = x: map builtins.typeOf [ (builtins.isPath x) (builtins.isFloat x) (builtins.isFunction x) ]; in [ (f ./a) (f 1.5) (f f) (f map) (f (throw "t")) ]
let f = l: k: map (x: [ x k ]) (builtins.filter (x: x != k) l); in [ (f [ 1 2 3 ] 2) (f 1 2) ]
let f = l: builtins.mapAttrs (n: v: [ n v l ]) { a = l; }; in f (x: x)
let f = l: [ (builtins.sort (x: y: x > y) l) (builtins.all (x: x > 0) l) (builtins.foldl' (x: y: x - y) 0 l) ]; in [ (f [ 1 3 2 ]) (f [ 1 null ]) ]
let f = s: n: s.${n}; in [ (f { a = 1; } "a") (f { a = 1; } 1) ]
let f = s: n: s.${n} or 2; in [ (f { a = 1; } "a") (f { } "a") (f { } 1) ]
let f = x: l: builtins.elem x l; in [ (f 1 [ 1.0 ]) (f "a" [ null "a" ]) (f true [ 1 ]) (f { } [ { } ]) (f f [ f ]) (f 1 [ ]) (f "a" [ (throw "x") "a" ]) ]
let f = c: l: builtins.replaceStrings l (map (x: "<${x}>") l) c; in [ (f "a-b" [ "a" "b" ]) (f "c" [ "a" "b" ]) (f "ä" [ "b" "ä" ]) (f "a" [ "b" 1 ]) ]
{ a = 1; } // { a = 2; b = throw "lazy"; }
[ [ ] [ [ ] ] (x: x) builtins.map (builtins.add 1) null 1.5 ./a "s" ]
{ a = 1; f = x: x; l = [ 1 (1 + 1) (x: x) ]; s = { t = "${"u"}"; }; n = { }.x or { y = 1 + 1; }; }
builtins.trace "a" 1
"""

LONG = {
    "else-ifs": "let f = x: " + nested("if x == %n then \"v%n\" else %s", 150, "x.y") + "; in [ (f 0) (f 77) (f 149) ]",
    "else-ifs that fail": "let f = x: " + nested("if x == %n then \"v%n\" else %s", 150, "x.y") + "; in f 150",
    "else-ifs in an operand": "let f = x: 1 + (" + nested("if x == %n then %n else %s", 150, "x") + "); in [ (f 0) (f 149) (f 200) ]",
    "ifs in ifs": "let f = x: " + nested("if x > %n then (%s) else %n", 150, "x.y") + "; in [ (f 0) (f 77) (f 149) ]",
    "ifs in conditions": "let f = x: " + nested("if (%s) then x else ! x", 150, "x") + "; in [ (f true) (f false) (f 1) ]",
    "asserts": "let f = x: " + nested("assert x != %n; %s", 150, "x") + "; in [ (f 150) (f (-1)) (f 149) ]",
    "asserts that differ": "let f = x: y: " + nested("assert x.a%n or y == y; %s", 120, "x") + "; in f { a119 = 1; } 2",
    "ands": "let f = x: " + " && ".join([f"x != {n}" for n in range(300)]) + "; in [ (f 299) (f 300) (f (-1)) ]",
    "ands to the right": "let f = x: " + nested("(x != %n && %s)", 150, "x") + "; in f 1000",
    "ors": "let f = x: " + " || ".join([f"x == {n}" for n in range(300)]) + "; in [ (f 299) (f 300) ]",
    "implications": "let f = x: " + nested("(x == %n -> %s)", 120, "false") + "; in [ (f 0) (f 7) ]",
    "defaults": "let f = x: " + nested("x.a%n or (%s)", 150, "x.z") + "; in [ (f { a0 = 0; }) (f { a149 = 1; }) (f { }) ]",
    "a long selection": "let f = x: x" + ".a" * 150 + " or 3; in [ (f { }) (f { a = 1; }) (f { a" + ".a" * 149 + " = 5; }) ]",
    "withs": nested("with { a%n = %n; b = %n; }; %s", 150, "[ a0 a149 b c ]"),
    "lets": nested("let a%n = %n; b = %n; in %s", 120, "[ a0 a119 b ]"),
    "lambdas": "(" + nested("a%n: %s", 120, "[ a0 a119 ]") + ") " + " ".join([str(n) for n in range(120)]),
    "parentheses": "(" * 300 + "1" + ")" * 300,
    "negations": "let f = x: " + "! " * 301 + "x; in [ (f true) (f 1) ]",
    "a sum": "let f = x: " + " + ".join(["x"] * 400) + "; in [ (f 1) (f \"a\") (f null) ]",
    "a sum to the right": "let f = x: " + nested("(x + %s)", 150, "x") + "; in [ (f 1) (f { }) ]",
    "updates": "let f = x: " + " // ".join([f"{{ a{n} = x; }}" for n in range(200)]) + "; in builtins.attrNames (f 1)",
    "locals": "let f = x: let " + "".join([f"v{n} = v{n - 1} + x; " if n else "v0 = x; " for n in range(300)]) + "in v299; in [ (f 1) (f \"a\") (f null) ]",
    "locals in a ring": "let f = x: let " + "".join([f"v{n} = y: if y == 0 then x else v{(n + 1) % 300} (y - 1); " for n in range(300)]) + "in v0 400; in f 7",
    "formals": "let f = { " + ", ".join([f"v{n} ? {f'v{n + 1}' if n < 299 else 'throw here'}" for n in range(300)]) + ", here ? \"end\" }: v0; in [ (f { v299 = 1; }) (f { here = \"x\"; }) ]",
    "upvalues": "let " + "".join([f"v{n} = {n}; " for n in range(300)]) + "f = x: y: [ " + " ".join([f"v{n}" for n in range(300)]) + " x y ]; in f 1 2",
    "a list": "[ " + " ".join([str(n) for n in range(2000)]) + " ]",
    "a list of thunks": "let f = x: [ " + " ".join([f"(x + {n})" for n in range(900)]) + " ]; in f 1",
    "a set": "let f = x: { " + " ".join([f"a{n} = x + {n};" for n in range(300)]) + " }; in f 1",
    "a rec set": "rec { a0 = 0; " + " ".join([f"a{n} = a{n - 1} + 1;" for n in range(1, 200)]) + " }",
    "an interpolation": "let f = x: \"" + "${x}-" * 300 + "\"; in [ (f \"a\") (f 1) ]",
    "more than is compiled": "let f = x: [ " + " ".join([f"(x + {n})" for n in range(1100)]) + " ] ++ x; in f [ ]",
}  # fmt: skip

PROGRAMS = [
    line
    for table in (ARITHMETIC, JUMPS, SCOPES, FUNCTIONS)
    for line in table.strip().split("\n")
] + [
    text.replace("\0", "\n")
    for text in STRINGS.strip().replace("''\n  one", "''\0  one").replace("}\n    three", "}\0    three").replace("'''\n''", "'''\0''").split("\n")
]


@pytest.fixture(autouse=True)
def _soon_compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("aionix.evaluation.FUEL", FUEL)


async def called(text: str | bytes, tier: Tier, strict: bool) -> str:
    """What comes of the last of several calls of a function whose body is `text`."""
    evaluation = evaluation_in(tier, strict)
    opening, closing = (b"_: (", b")") if isinstance(text, bytes) else ("_: (", ")")
    function = await evaluation.evaluate(opening + text + closing, base_dir="/")  # type: ignore[operator]
    if function.value is None:
        return told(function)
    raw: Value = function.value.raw
    for _ in range(RUNS[tier]):
        last = told(await evaluation.evaluate_value(lambda: call(raw, None)))
    return last


async def agreed(text: str | bytes) -> None:
    """Asserts that `text` comes to the same in every tier."""
    for strict in (False, True):
        for way in (outcome, called):
            expected = await way(text, "interpreter", strict)
            assert "crash" not in expected[:5] and expected != "timeout"
            assert await way(text, "native", strict) == expected
        assert await called(text, "auto", strict) == expected


@pytest.mark.parametrize("text", PROGRAMS)
def test_a_program_comes_to_the_same_in_every_tier(text: str) -> None:
    anyio.run(agreed, text)


@pytest.mark.parametrize("text", list(LONG.values()), ids=list(LONG))
def test_what_is_long_or_deep_comes_to_the_same(text: str) -> None:
    anyio.run(agreed, text)


@pytest.mark.parametrize("sign", OPERATORS)
def test_an_operator_does_the_same_with_any_operands(sign: str) -> None:
    pairs = list(product(OPERANDS, OPERANDS)) + list(product(BORDERS, BORDERS))
    # Operands that are known when the code is compiled, and such as are not.
    texts = [form.format(left, sign, right) for left, right in pairs for form in ("{} {} {}", "(a: b: a {1} b) {0} {2}")]

    async def all_of_them(tier: Tier) -> list[str]:
        evaluation = evaluation_in(tier, strict=True)
        return [told(await evaluation.evaluate(text, base_dir="/")) for text in texts]

    expected = anyio.run(all_of_them, "interpreter")
    found = anyio.run(all_of_them, "native")
    assert [each for each in zip(texts, found, expected, strict=True) if each[1] != each[2]] == []


def test_strings_have_all_their_bytes() -> None:
    every = bytes(range(1, 256)).replace(b'"', b"").replace(b"\\", b"").replace(b"$", b"").replace(b"\r", b"")
    for text in (
        b'"' + every + b'"',
        b'let f = x: "' + every + b'${x}"; in f "' + every + b'"',
        b'{ "' + every + b'" = 1; }."' + every + b'x" or "' + every + b'"',
        b'let f = x: x."' + every + b'"; in f { "' + every + b'" = 2; }',
        b'throw "' + every + b'"',
    ):
        anyio.run(agreed, text)
