"""The version of the distribution; `builtins.nixVersion` names it too."""

__version__ = "0.1.0"
