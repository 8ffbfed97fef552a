"""`aionix-instantiate`: nix-instantiate's flags, in front of this evaluator.

    aionix-instantiate [-A ATTR]... [--write-drvs DIR] [FILE... | -E EXPRESSION... | -]
    aionix-instantiate --eval [--strict] [--json | --xml | --raw] [FILE... | -E EXPRESSION... | -]
    aionix-instantiate --parse [FILE... | -E EXPRESSION... | -]

There is no store: the paths of derivations are computed, their files written where one says.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from aionix._version import __version__
from aionix.cli.options import LINT_LEVELS, Argument, Input, Job, Settings, UsageError
from aionix.cli.terminal import fail, in_event_loop, leave, run_program, say, write
from aionix.errors import NixError

HELP = """\
usage: aionix-instantiate [--eval | --parse] [OPTION]... [FILE... | -E EXPRESSION... | -]

Evaluates Nix files (default: ./default.nix) and prints the store paths of the derivations in them,
or with --eval their values, taking the options of nix-instantiate. No store is needed, nor written to.

  --write-drvs DIR       write the .drv files, and those of all they need, into DIR
  --eval                 evaluate and print          --strict          print the parts too
  --parse                parse and print             --json --xml --raw  other ways to print
  -E, --expr             the arguments are expressions, not files; `-` is standard input
  -A, --attr PATH        the attribute to print (may be repeated)
  --arg NAME EXPRESSION  an argument for functions   --argstr NAME TEXT
  -I [NAME=]PATH         add to the search path of <NAME>
  --option NAME VALUE    a setting, as are --max-call-depth N, --pure-eval, --impure,
                         --show-trace, --abort-on-warn, --lint-url-literals LEVEL,
                         --lint-absolute-path-literals LEVEL, --lint-short-path-literals LEVEL
                         (LEVEL: ignore, warn, fatal), --extra-experimental-features NAME
  --no-location          no positions in XML         --version, --help
  --no-code-cache        do not keep compiled files, nor use those that are kept

examples:
  aionix-instantiate -A hello --write-drvs drvs ./default.nix
  aionix-instantiate --eval -E '1 + 1'
  aionix-instantiate --eval --strict --json -A services.nginx ./config.nix
"""


@dataclass
class CommandLine:
    """The command line, understood."""

    job: Job = field(default_factory=Job)
    settings: Settings = field(default_factory=Settings)
    evaluate: bool = False
    parse: bool = False
    expressions: bool = False
    write_drvs: str | None = None
    names: list[str] = field(default_factory=list)

    def inputs(self) -> list[Input]:
        if self.expressions:
            return [Input("expression", name) for name in self.names]
        names = self.names or ["./default.nix"]
        return [Input("stdin" if name == "-" else "file", name) for name in names]


Handler = Callable[[CommandLine, Sequence[str]], None]


def parse_arguments(arguments: Sequence[str]) -> CommandLine:
    """Understands `arguments` (without the program's name); raises UsageError."""
    line = CommandLine()
    words = iter(_split_clusters(arguments))
    for word in words:
        if word == "--":
            line.names += words
        elif not word.startswith("-") or word == "-":
            line.names.append(word)
        else:
            arity, handle = _option(word)
            handle(line, _take(word, arity, words))
    return line


def _split_clusters(arguments: Sequence[str]) -> list[str]:
    """`-vA x` is `-v -A x`."""
    words: list[str] = []
    for at, word in enumerate(arguments):
        if word == "--":
            return [*words, *arguments[at:]]
        if len(word) > 2 and word[0] == "-" and word[1:].isalpha():
            words += [f"-{letter}" for letter in word[1:]]
        else:
            words.append(word)
    return words


def _take(flag: str, count: int, words: Iterator[str]) -> list[str]:
    values = []
    for word in words if count else ():
        values.append(word)
        if len(values) == count:
            return values
    if len(values) < count:
        raise UsageError(f"flag '{flag}' requires {count} argument(s), but only {len(values)} were given")
    return values


def _option(word: str) -> tuple[int, Handler]:
    if word in _OPTIONS:
        return _OPTIONS[word]
    name = word.removeprefix("--")
    if name in _SWITCHES:
        return 0, _setting(name, "true")
    if name.removeprefix("no-") in _SWITCHES:
        return 0, _setting(name.removeprefix("no-"), "false")
    if name in _VALUES:
        return 1, lambda line, values: apply_setting(line.settings, name, values[0])
    raise UsageError(f"unrecognised flag '{word}'")


def _setting(name: str, value: str) -> Handler:
    return lambda line, values: apply_setting(line.settings, name, value)


def apply_setting(settings: Settings, name: str, value: str) -> None:
    """`--option NAME VALUE`; unknown names are told about and otherwise ignored, as in Nix."""
    if name in _SWITCHES:
        _SWITCHES[name](settings, _boolean(name, value))
    elif name in _VALUES:
        _VALUES[name](settings, value)
    elif name not in _IRRELEVANT:
        say(f"warning: unknown setting '{name}'")


def _boolean(name: str, value: str) -> bool:
    if value in ("true", "yes", "1"):
        return True
    if value in ("false", "no", "0"):
        return False
    raise UsageError(f"Boolean setting '{name}' has invalid value '{value}'")


def _set_depth(settings: Settings, value: str) -> None:
    if not (value.isdecimal() and len(value) < 19):
        raise UsageError(f"setting 'max-call-depth' has invalid value '{value}'")
    settings.max_call_depth = int(value)


def _set_lint(settings: Settings, attribute: str, value: str) -> None:
    if value not in LINT_LEVELS:
        flag = "lint-" + attribute.replace("_", "-")
        raise UsageError(f"setting '{flag}' is one of {', '.join(LINT_LEVELS)}, not '{value}'")
    setattr(settings, attribute, value)


def _set_pure(settings: Settings, value: bool) -> None:
    settings.pure = value


def _set_show_trace(settings: Settings, value: bool) -> None:
    settings.show_trace = value


def _set_abort_on_warn(settings: Settings, value: bool) -> None:
    settings.abort_on_warn = value


def _set_features(settings: Settings, value: str) -> None:
    settings.features = set(value.split())


def _set_nix_path(settings: Settings, value: str) -> None:
    settings.nix_path = ":".join(value.split())


def _set_system(settings: Settings, value: str) -> None:
    settings.system = value


def _nothing(line: CommandLine, values: Sequence[str]) -> None:
    """Accepted, for it changes nothing about evaluation."""


_SWITCHES: dict[str, Callable[[Settings, bool], None]] = {
    "abort-on-warn": _set_abort_on_warn,
    "pure-eval": _set_pure,
    "show-trace": _set_show_trace,
}
_VALUES: dict[str, Callable[[Settings, str], None]] = {
    "eval-system": _set_system,
    "experimental-features": _set_features,
    "extra-experimental-features": lambda settings, value: settings.features.update(value.split()),
    "lint-absolute-path-literals": lambda s, value: _set_lint(s, "absolute_path_literals", value),
    "lint-short-path-literals": lambda s, value: _set_lint(s, "short_path_literals", value),
    "lint-url-literals": lambda s, value: _set_lint(s, "url_literals", value),
    "max-call-depth": _set_depth,
    "nix-path": _set_nix_path,
    "system": _set_system,
}
_IRRELEVANT = frozenset(
    "allow-import-from-derivation allow-unsafe-native-code-during-evaluation cores debugger-on-trace "
    "eval-cache eval-cores keep-going max-jobs max-silent-time restrict-eval sandbox store "
    "substitute substituters timeout trace-verbose use-xdg-base-directories warn-dirty".split()
)


def _evaluate(line: CommandLine, values: Sequence[str]) -> None:
    line.evaluate = True


def _parse(line: CommandLine, values: Sequence[str]) -> None:
    line.parse = True


def _expressions(line: CommandLine, values: Sequence[str]) -> None:
    line.expressions = True


def _strict(line: CommandLine, values: Sequence[str]) -> None:
    line.settings.strict = True


def _json(line: CommandLine, values: Sequence[str]) -> None:
    line.job.output = "json"


def _xml(line: CommandLine, values: Sequence[str]) -> None:
    line.job.output = "xml"


def _raw(line: CommandLine, values: Sequence[str]) -> None:
    line.job.output = "raw"


def _no_location(line: CommandLine, values: Sequence[str]) -> None:
    line.job.location = False


def _attribute(line: CommandLine, values: Sequence[str]) -> None:
    line.job.attr_paths.append(values[0])


def _argument(line: CommandLine, values: Sequence[str]) -> None:
    line.job.arguments[values[0]] = Argument("expression", values[1])


def _string_argument(line: CommandLine, values: Sequence[str]) -> None:
    line.job.arguments[values[0]] = Argument("string", values[1])


def _include(line: CommandLine, values: Sequence[str]) -> None:
    line.settings.search_path.append(values[0])


def _impure(line: CommandLine, values: Sequence[str]) -> None:
    line.settings.pure = False


def _no_code_cache(line: CommandLine, values: Sequence[str]) -> None:
    line.settings.code_cache = False


def _write_drvs(line: CommandLine, values: Sequence[str]) -> None:
    line.write_drvs = values[0]


def _set_option(line: CommandLine, values: Sequence[str]) -> None:
    apply_setting(line.settings, values[0], values[1])


def _help(line: CommandLine, values: Sequence[str]) -> None:
    write(HELP)
    raise SystemExit(0)


def _version(line: CommandLine, values: Sequence[str]) -> None:
    write(f"aionix-instantiate (aionix) {__version__}, the language of Nix 2.26.3\n")
    raise SystemExit(0)


# flag -> (how many words belong to it, what it does)
_OPTIONS: dict[str, tuple[int, Handler]] = {
    "--eval": (0, _evaluate),
    "--eval-only": (0, _evaluate),
    "--parse": (0, _parse),
    "--parse-only": (0, _parse),
    "--expr": (0, _expressions),
    "-E": (0, _expressions),
    "--strict": (0, _strict),
    "--json": (0, _json),
    "--xml": (0, _xml),
    "--raw": (0, _raw),
    "--no-code-cache": (0, _no_code_cache),
    "--no-location": (0, _no_location),
    "--attr": (1, _attribute),
    "-A": (1, _attribute),
    "--arg": (2, _argument),
    "--argstr": (2, _string_argument),
    "--include": (1, _include),
    "-I": (1, _include),
    "--impure": (0, _impure),
    "--option": (2, _set_option),
    "--write-drvs": (1, _write_drvs),
    "--help": (0, _help),
    "--version": (0, _version),
}
_OPTIONS |= dict.fromkeys(
    "--read-write-mode --readonly-mode --verbose -v --quiet --debug --no-build-output -Q --keep-going -k "
    "--keep-failed -K --fallback --repair --offline --refresh --accept-flake-config".split(),
    (0, _nothing),
)
_OPTIONS |= dict.fromkeys(
    "--timeout --store --eval-store --log-format --max-jobs -j --cores --max-silent-time".split(),
    (1, _nothing),
)


def run(line: CommandLine) -> str:
    """What the command prints, whole; raises NixError and UsageError."""
    line.job.inputs = line.inputs()
    if line.write_drvs is not None and (line.parse or line.evaluate):
        raise UsageError("--write-drvs does not go with --eval or --parse")
    if line.parse:
        from aionix.cli.parse import parsed

        return "".join([parsed(given, line.settings) for given in line.job.inputs])
    if line.evaluate:
        from aionix.cli.job import text_of

        return in_event_loop(lambda: text_of(line.job, line.settings))
    from aionix.cli.subjects import instantiated

    return in_event_loop(lambda: instantiated(line.job, line.settings, line.write_drvs))


def command() -> None:
    line = parse_arguments(sys.argv[1:])
    try:
        write(run(line))
    except NixError as error:
        fail(error, show_trace=line.settings.show_trace)


def main() -> None:
    """The program."""
    leave(run_program("aionix-instantiate", command))


if __name__ == "__main__":
    main()
