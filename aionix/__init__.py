"""The Nix language inside async Python programs."""

from aionix._version import __version__ as __version__
