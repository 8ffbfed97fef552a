"""Random Nix programs that mostly make sense, for comparing two evaluators.

`program(random)` is a `Tree`; `str(tree)` its text. A name has the same kind of value wherever it
is bound (`NAMES`), so that a variable or an attribute can be used without knowing its binding,
and shadowing comes by itself. Now and then a part has the wrong kind, fails, or never ends.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from random import Random

#: What kind of value each name stands for.
NAMES = {
    "a": "int", "b": "int", "c": "int", "s": "string", "t": "string", "p": "bool", "d": "float",
    "l": "ints", "m": "list", "r": "set", "q": "set", "f": "function", "g": "function", "z": "null",
}  # fmt: skip

#: Expressions of any kind; `%K` stands for a part of the same kind.
ANY = """
(if %bool then %K else %K) | (assert %bool; %K) | (assert %any == %any; %K) | (%let %K) | (%let %K)
(%with %K) | (%with %K) | (%legacy) | (%call) | (%call) | (%call) | (builtins.seq %any %K)
(builtins.deepSeq %any %K) | (builtins.tryEval %K).value | (%set.%path or %K) | (%set.%path or %K)
(builtins.head [ %K %any ]) | (builtins.elemAt %list %int) | ((%name: %K) %any) | (builtins.getAttr "k" { k = %K; })
({ __functor = self: x: %K; } %any) | ({ __functor = self: self.go; go = _: %K; } %any) | %select | %select
(builtins.addErrorContext "context" %K) | (builtins.foldl' (x: y: x) %K %list) | (builtins.foldl' (x: y: y) %K %list)
(let fix = f: let x = f x; in x; in fix (self: { k = %K; j = self.k; })).j | (rec { k = %K; j = k; }).j
((x: x) %K) | (if %any ? k then %any else %K) | (%let (%with %K)) | ({ k = %K; } // %set).k | ((x: y: x) %K %any)
(builtins.head (builtins.catAttrs "k" [ { k = %K; } %set ])) | (let inherit ({ k = %K; }) k; in k) | (with { k = %K; }; with %set; k)
"""

KINDS = {
    "int": """0 | 1 | 2 | 3 | (-1) | 7 | 8 | 10 | (%int + %int) | (%int - %int) | (%int * %int) | (%int / %int)
(- %int) | (builtins.length %list) | (builtins.stringLength %string) | (%function %int) | (%function %int)
(builtins.foldl' builtins.add 0 %ints) | (builtins.floor %float) | (builtins.compareVersions %string %string)
(builtins.bitXor %int %int) | (builtins.sub %int %any) | (builtins.mul %int %int) | (builtins.div %int %int) | (builtins.fromJSON (builtins.toJSON %int)) | (builtins.head %ints)
(%function (%function %int)) | (__curPos.column or 1) | (builtins.length (builtins.attrNames %set))""",
    "float": """0.5 | 1.0 | 2.5e10 | (%float + %int) | (%int / %float) | (%float * %float) | (- %float) | 1.0e-7""",
    "bool": """true | false | (%any == %any) | (%K == %K) | (%list == %list) | (%set == %set) | (%int < %int)
(%int >= %float) | (%string < %string) | (%list < %list) | (%ints <= %ints) | (%any != %any) | (! %bool)
(%bool && %bool) | (%bool || %bool) | (%bool -> %bool) | (%set ? %path) | (%any ? %path) | (builtins.elem %any %list)
(builtins.all (a: %bool) %ints) | (builtins.any (a: %bool) %ints) | (builtins.tryEval %any).success
(builtins.isFunction %any) | (builtins.isAttrs %any) | (builtins.hasAttr %string %set) | (%path_value == %path_value)
(builtins.tryEval (builtins.deepSeq %any 1)).success | (builtins.lessThan %any %any) | (null == %null)
(builtins.isPath %any) | (builtins.isFloat %any) | (builtins.elem %string %list) | (builtins.isList (builtins.tail %list))""",
    "string": r""""" | "a" | "bc" | "k" | "a.b\n\t\"$" | "${%string}-${%string}" | "${toString %any}" | (%string + %string)
(toString %any) | (toString %list) | (builtins.toJSON %any) | (builtins.toJSON %set) | "${{ __toString = self: %string; }}"
"${{ outPath = %string; }}" | (toString { __toString = self: self.x; x = %string; }) | (builtins.typeOf %any)
(builtins.concatStringsSep %string [ %string %string ]) | (builtins.substring %int %int %string) | "é${%string}"
''
  one ${%string}
    two '''
   ''${x} $${ ''\t
'' | ''${%string}'' | ''  a${%string} b'' | (builtins.replaceStrings [ "a" %string ] [ %string "" ] %string)
(builtins.baseNameOf %string) | (builtins.toXML %any) | (builtins.concatStringsSep "," (builtins.attrNames %set))
(builtins.hashString "sha256" %string) | (baseNameOf %path_value) | (toString %path_value) | (dirOf %string)
(builtins.concatStringsSep " " (map toString %ints)) | (builtins.substring 1 3 %string) | "${%string}-${%string}${%string}"
(builtins.replaceStrings [ "a" "b" ] (map (c: "<${c}${%string}>") [ %string "y" ]) %string) | http://a.b/c""",
    "path_value": """/a | /a/b/../c | /. | (%path_value + "/x") | (%path_value + "/${toString %int}") | (dirOf %path_value) | (/a + "${toString %int}")
/a/${toString %int}/b | (%path_value + %path_value) | (/. + "/${toString %int}/..")""",
    "null": 'null | null | (%z_or_null) | (builtins.fromJSON "null")',
    "ints": """[ ] | [ %int ] | [ %int %int %int ] | (%ints ++ %ints) | (map %function %ints) | (builtins.sort builtins.lessThan %ints)
(builtins.sort (a: b: %bool) %ints) | (builtins.filter (a: %bool) %ints) | (builtins.genList %function 3) | (builtins.tail %ints)
(builtins.concatMap (a: [ %int ]) %ints) | (builtins.partition (a: %bool) %ints).right | (map (a: %int) %ints)
(map (x: x.key) (builtins.genericClosure { startSet = [ { key = %int; } ]; operator = x: if x.key > 3 then [ ] else [ { key = x.key + 1; } ]; }))""",
    "list": """[ ] | [ %any ] | [ %any %any ] | [ %any %any %any ] | (%list ++ %list) | (%list ++ %ints) | (map (x: [ x ]) %list)
(builtins.concatLists [ %list %list ]) | (builtins.attrValues %set) | (builtins.attrNames %set) | %ints
(builtins.genericClosure { startSet = [ { key = %any; } { key = %any; } ]; operator = x: [ ]; })
(builtins.filter (x: builtins.isInt x) %list) | (builtins.catAttrs "a" [ %set %set ]) | (builtins.splitVersion %string)
(builtins.sort (x: y: x < y) %list) | (builtins.match "(a)(b?).*" %string) | (builtins.split "a" %string)
(builtins.sort (x: y: x.key < y.key) [ { key = 1; v = %any; } { key = 0; v = %any; } ])""",
    "set": """{ %merged } | { %merged } | rec { %merged } | (let %merged in { inherit a b; }) | { } | { %bindings } | { %bindings } | { %bindings } | rec { %bindings } | rec { %bindings } | (%set // %set) | (%set // { %bindings })
(builtins.mapAttrs (n: v: %any) %set) | (builtins.mapAttrs (n: v: [ n v ]) %set) | (builtins.removeAttrs %set [ "a" %string ])
(builtins.listToAttrs [ { name = %string; value = %any; } { name = "a"; value = %int; } ]) | (builtins.intersectAttrs %set %set)
(builtins.groupBy (x: %string) %list) | (builtins.groupBy toString %ints) | (builtins.partition (x: %bool) %list)
(builtins.zipAttrsWith (n: vs: vs) [ %set %set ]) | (builtins.zipAttrsWith (n: vs: builtins.length vs) [ %set %set ])
(builtins.functionArgs ({ a, b ? %int }: %any)) | (builtins.fromJSON (builtins.toJSON %set)) | (builtins.tryEval %any)
rec { %bindings __overrides = %set; } | (builtins.parseDrvName %string) | { inherit (%set) a r; } | (with { map = %int; q = %set; }; { k = map; j = q; })
(let __sub = a: b: %int; __lessThan = a: b: %bool; in { a = 1 - 2; b = - 3; p = 1 < 2; q = 2 >= %int; }) | (let true = false; map = x: x; in [ true (map 1) ])
(let or = 1; in [ (x: x) or ]) | (let builtins = { map = %int; }; in builtins) | { %bindings ${%string} = %any; }
{ ${null} = %any; } | { r.a = %int; r.q = { b = %int; }; r.q.c = %int; } | rec { r = { a = %int; }; r.b = %int; c = r.a; }
rec { a = %int; r = rec { b = a; a = %int; }; r.c = b_ 1; b_ = x: a; } | (%set // %null) | { type = "derivation"; outPath = %any; a = %int; }
{ a = %any; __toString = self: %string; } | { outPath = %any; } | { "a b" = %any; "if" = %any; or = %any; "${"x"}y" = 1; }""",
    "function": """(a: %int) | (b: %int) | (%name: %int) | (builtins.add %int) | ((a: b: %int) %int) | { __functor = self: a: %int; }
{ __functor = self: a: a + self.c; c = %int; } | (builtins.foldl' (a: b: %int) %int) | (x: builtins.foldl' builtins.add x %ints)
(if %bool then %function else %function) | (builtins.sub 3) | (a: %function a) | (let go = n: if n < 1 then %int else go (n - 1); in go)""",
}

#: How often a part has another kind than it should, or fails.
WRONG = """(throw "oops") | (throw %string) | (abort "stop") | null | %any | (let x = x; in x) | undefined | (assert false; 1)
(builtins.throw "${%any}") | [ ] | { } | (x: x) | builtins.map | 1 | "w" | (builtins.elemAt [ ] 0) | { }.missing"""
WRONG_CHANCE = 0.015

_HOLE = re.compile(r"%(\w+)")


def _templates(text: str) -> list[str]:
    return [one.strip(" ") for one in re.split(r" \| |\n(?=[\[({%0-9./a-z])", text.strip("\n"))]


_ANY = _templates(ANY)
_KINDS = {kind: _templates(text) for kind, text in KINDS.items()}
_LEAVES = {kind: [text for text in texts if "%" not in text] for kind, texts in _KINDS.items()}
_LEAVES["function"] = ["(x: x)", "(builtins.add 1)"]
_WRONG = _templates(WRONG)


@dataclass
class Tree:
    """An expression: text, and the expressions in it."""

    parts: list[str | Tree]
    expression: bool = True

    def __str__(self) -> str:
        return "".join([str(part) for part in self.parts])

    def trees(self) -> Iterator[Tree]:
        """All expressions, this one first."""
        if self.expression:
            yield self
        for part in self.parts:
            if isinstance(part, Tree):
                yield from part.trees()

    def replaced(self, old: Tree, new: Tree) -> Tree:
        if self is old:
            return new
        parts = [part.replaced(old, new) if isinstance(part, Tree) else part for part in self.parts]
        return Tree(parts, self.expression)


def program(random: Random, depth: int = 6) -> Tree:
    """A closed expression."""
    return _Generator(random).expression("any", depth, ())


class _Generator:
    def __init__(self, random: Random) -> None:
        self._random = random

    def expression(self, kind: str, depth: int, scope: Sequence[str]) -> Tree:
        random = self._random
        if kind == "any":
            kind = random.choice(list(_KINDS))
        if kind == "z_or_null":
            return Tree(["z" if "z" in scope else "null"])
        if random.random() < WRONG_CHANCE:
            return self._filled(random.choice(_WRONG), kind, min(depth, 2), scope)
        known = [name for name in scope if NAMES[name] == kind]
        if known and random.random() < (0.25 if depth > 0 else 0.8):
            return Tree([random.choice(known)])
        if depth <= 0:
            return Tree([random.choice(_LEAVES[kind])])
        own = random.random() < 0.6
        return self._filled(random.choice(_KINDS[kind] if own else _ANY), kind, depth, scope)

    def _filled(self, template: str, kind: str, depth: int, scope: Sequence[str]) -> Tree:
        """`template` with its holes filled from left to right; what binds names widens the scope."""
        parts: list[str | Tree] = []
        end = 0
        for hole in _HOLE.finditer(template):
            parts.append(template[end : hole.start()])
            end = hole.end()
            part, scope = self._hole(hole[1], kind, depth - 1, scope)
            parts.append(part)
        parts.append(template[end:])
        return Tree(parts)

    def _hole(self, hole: str, kind: str, depth: int, scope: Sequence[str]) -> tuple[Tree, Sequence[str]]:
        random = self._random
        match hole:
            case "K":
                return self.expression(kind, depth, scope), scope
            case "name":
                name = random.choice(list(NAMES))  # bound to anything: of the wrong kind, mostly
                return Tree([name], False), scope
            case "let":
                bindings, inner = self._bindings(depth, scope, True, False)
                return Tree(["let ", bindings, "in "], False), inner
            case "with":
                return Tree(["with ", self.expression("set", depth, scope), ";"], False), [
                    *scope,
                    "a",
                    "r",
                    "l",
                ]
            case "bindings":
                return self._bindings(depth, scope, random.random() < 0.3, True)[0], scope
            case "merged":
                return self._merged(depth, scope), scope
            case "path":
                return self._path(depth, scope), scope
            case "select":
                return self._select(kind, depth, scope), scope
            case "legacy":
                bindings, inner = self._bindings(depth, scope, True, False)
                body = self.expression(kind, depth, inner)
                return Tree(["let { ", bindings, "body = ", body, "; }"], False), scope
            case "call":
                return self._call(kind, depth, scope), scope
        return self.expression(hole, depth, scope), scope

    def _select(self, kind: str, depth: int, scope: Sequence[str]) -> Tree:
        names = [name for name in NAMES if NAMES[name] == kind] or ["a"]
        name = self._random.choice(names)
        bindings, _ = self._bindings(depth, scope, False, True)
        set_ = Tree(["({ ", name, " = ", self.expression(kind, depth, scope), "; } // { ", bindings, "})"])
        return Tree([set_, ".", name])

    def _path(self, depth: int, scope: Sequence[str]) -> Tree:
        steps: list[str | Tree] = []
        for _ in range(self._random.randint(1, 3)):
            name = self._random.choice(list(NAMES))
            dynamic: list[str | Tree] = ['${"', name, '"}'] if self._random.random() < 0.2 else [name]
            if self._random.random() < 0.05:
                dynamic = ["${", self.expression("string", depth, scope), "}"]
            steps += [".", *dynamic]
        return Tree(steps[1:], False)

    def _bindings(
        self, depth: int, scope: Sequence[str], recursive: bool, dynamic: bool
    ) -> tuple[Tree, Sequence[str]]:
        """Bindings, and the scope inside `let` or `rec` with them."""
        random = self._random
        names = random.sample(list(NAMES), random.randint(0, 4))
        inner = [*scope, *names]
        parts: list[str | Tree] = []
        for index, name in enumerate(names):
            seen = scope if not recursive else inner if random.random() < 0.15 else [*scope, *names[:index]]
            parts.append(self._binding(name, depth, scope, seen, dynamic))
        if random.random() < 0.01 and names:
            parts.append(Tree([names[0], " = 1; "], False))
        return Tree(parts, False), inner

    def _binding(
        self, name: str, depth: int, scope: Sequence[str], seen: Sequence[str], dynamic: bool
    ) -> Tree:
        random = self._random
        value = self.expression(NAMES[name], depth, seen)
        choice = random.random()
        if choice < 0.1 and name in scope:
            return Tree(["inherit ", name, "; "], False)
        if choice < 0.2:
            default = Tree(["{ ", name, " = ", value, "; }"])
            source = Tree(["(", default, " // ", self.expression("set", depth, seen), ")"])
            return Tree(["inherit ", source, " ", name, "; "], False)
        if NAMES[name] == "set" and choice < 0.5:
            first, second = random.sample(["a", "b", "s", "q.a", "q.b", '"x y"'], 2)
            one, two = self.expression("int", depth, seen), self.expression("any", depth, seen)
            return Tree([f"{name}.{first} = ", one, f"; {name}.{second} = ", two, "; "], False)
        shown = f'"{name}"' if choice < 0.6 else f'${{"{name}"}}' if choice < 0.7 and dynamic else name
        return Tree([shown, " = ", value, "; "], False)

    def _merged(self, depth: int, scope: Sequence[str]) -> Tree:
        """Bindings of longer paths, which often meet."""
        random = self._random
        parts: list[str | Tree] = []
        for _ in range(random.randint(1, 3)):
            if random.random() < 0.15:
                parts.append(
                    Tree(
                        [random.choice(["inherit a; ", "inherit ({ b = 1; }) b; ", "inherit (r) c; "])], False
                    )
                )
                continue
            path = [random.choice(["a", "b", "c", '"a"', '${"b"}', "r"]) for _ in range(random.randint(1, 3))]
            value = self.expression("int", depth - 2, scope)
            if random.random() < 0.5 and depth > 0:
                value = Tree([random.choice(["{ ", "rec { "]), self._merged(depth - 1, scope), "}"])
            parts.append(Tree([".".join(path), " = ", value, "; "], False))
        return Tree(parts, False)

    def _call(self, kind: str, depth: int, scope: Sequence[str]) -> Tree:
        """A function with a pattern, applied."""
        random = self._random
        names = random.sample(list(NAMES), random.randint(0, 3))
        formals: list[str | Tree] = []
        arguments: list[str | Tree] = []
        at = random.choice(["", "args@", "r@", "q@"])
        if at[:1] in names:
            at = ""
        inner = [*scope, *names, *([at[0]] if at in ("r@", "q@") else [])]
        for name in names:
            default = random.random() < 0.5
            shown: list[str | Tree] = (
                [" ? ", self.expression(NAMES[name], depth - 1, inner)] if default else []
            )
            formals += [", " if formals else "", name, *shown]
            if random.random() < (0.5 if default else 0.98):
                arguments += [name, " = ", self.expression(NAMES[name], depth - 1, scope), "; "]
        ellipsis = random.random() < 0.3
        if ellipsis or random.random() < 0.03:
            arguments += ["extra = ", self.expression("any", depth - 1, scope), "; "]
        if ellipsis:
            formals += [", " if formals else "", "..."]
        body = self.expression(kind, depth, inner)
        return Tree(["(", at, "{ ", *formals, " }: ", body, ") { ", *arguments, "}"])
