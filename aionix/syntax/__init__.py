"""Text into a syntax tree.

    nix.lark   the grammar            tables.py   its LALR tables, computed by lark once
    lexer.py   text into tokens       parser.py   tokens into nodes, driven by the tables
    strings.py what quoted text means builder.py  a node for each rule of the grammar
    nodes.py   the tree               pretty.py   the tree into text
    options.py what is allowed        messages.py what a syntax error says

A `Source` enters, an `Expr` leaves. Nothing here knows what an expression evaluates to, which
names are bound or which attributes are defined twice.
"""

from aionix.syntax.options import ParseOptions as ParseOptions
from aionix.syntax.parser import parse as parse
