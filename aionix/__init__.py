"""The Nix language inside async Python programs.

    value = await aionix.evaluate("map (x: x * x) [ 1 2 3 ]")
    value.to_python()                       # [1, 4, 9]

The rooms, from the street inwards; each imports only from those below it:

    cli         the programs `aionix` and `aionix-instantiate`
    evaluator   runs many evaluations, for a service
    evaluation  builds an `Evaluation` from all the rooms
    builtins    what Nix programs may call
    vm          the frame loop, fibers, the interpreter      compiler  syntax into code
    values      what programs compute with      syntax  text into a tree      store  hashes, paths
    bytecode    code
    errors, io  what goes wrong; the door to the outside world
    source      texts and places in them
"""

from aionix._version import __version__ as __version__
from aionix.errors import CatchableError as CatchableError
from aionix.errors import CompileError as CompileError
from aionix.errors import EvalError as EvalError
from aionix.errors import InternalError as InternalError
from aionix.errors import NixError as NixError
from aionix.errors import ParseError as ParseError
from aionix.evaluation import Evaluation as Evaluation
from aionix.evaluation import EvaluationBuilder as EvaluationBuilder
from aionix.evaluation import EvaluationResult as EvaluationResult
from aionix.evaluation import evaluate as evaluate
from aionix.evaluation import evaluate_file as evaluate_file
from aionix.evaluator import Evaluator as Evaluator
from aionix.evaluator import EvaluatorClosed as EvaluatorClosed
from aionix.evaluator import Job as Job
from aionix.evaluator import Outcome as Outcome
from aionix.python_builtin import builtin as builtin
from aionix.rendering import render as render
from aionix.syntax.options import ParseOptions as ParseOptions
from aionix.value import NixValue as NixValue
from aionix.vm.account import Budget as Budget
from aionix.vm.account import Usage as Usage
from aionix.vm.dependencies import Access as Access
from aionix.warnings import EvalWarning as EvalWarning
