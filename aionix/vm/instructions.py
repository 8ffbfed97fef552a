"""The interpreter's instructions: the seed's ops, numbered by how often they run, and pairs.

Plain numbers in a module: CPython reads a module's global in 4 ns, an enum's member in 20.
"""

LOCAL_FORCE = 0  # GetLocal Force
UPVALUE_FORCE = 1  # GetUpvalue Force
CONSTANT = 2
LOCAL = 3
UPVALUE = 4
CALL = 5
THUNK = 6
RETURN = 7
SELECT_FORCE = 8  # Constant AttrsSelect Force
FORCE = 9
JUMP_IF_FALSE = 10
POP = 11
JUMP = 12
CLOSURE = 13
EQUAL = 14
ADD = 15
SUB = 16
ATTRS = 17
FINALISE = 18
CLOSE_SCOPE = 19
LIST = 20
COERCE = 21
INTERPOLATE = 22
SELECT = 23  # Constant AttrsSelect
TRY_SELECT = 24  # Constant AttrsTrySelect
JUMP_IF_NOT_FOUND = 25
HAS_ATTR = 26  # Constant HasAttr
UPDATE = 27
INVERT = 28
JUMP_IF_TRUE = 29
ASSERT_BOOL = 30
LESS = 31
LESS_OR_EQUAL = 32
MORE = 33
MORE_OR_EQUAL = 34
CONCAT = 35
MUL = 36
DIV = 37
NEGATE = 38
ASSERT_ATTRS = 39
FORMALS = 40
PUSH_WITH = 41
POP_WITH = 42
RESOLVE_WITH = 43
SELF_CLOSURE = 44
DYNAMIC_ATTRS = 45
SELECT_DYNAMIC = 46
TRY_SELECT_DYNAMIC = 47
HAS_ATTR_DYNAMIC = 48
FIND_FILE = 49
HOME_PATH = 50
ASSERT_FAIL = 51
OBSERVE = 52
