"""From syntax to code.

`bindings` makes the language smaller (paths and `inherit` become plain data), `resolver` goes through a
text first: it finds its mistakes, and what can be compiled when it first runs. `scope` answers where a
name is, `emit` writes chunks, `context` holds what a compilation knows, `expressions` and `definitions`
have a function for each kind of node, `operators` has what is odd about some; `compiler` is the way in.
This room knows nothing of the VM: what it leaves behind are `Lambda`s, errors and warnings.
"""

from aionix.compiler.bindings import normalise as normalise
from aionix.compiler.compiler import CompileResult as CompileResult
from aionix.compiler.compiler import Text as Text
from aionix.compiler.compiler import compile_expression as compile_expression
