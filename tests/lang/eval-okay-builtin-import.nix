let twice = import ./lib/double.nix; in [ (twice 4) (map builtins.typeOf [ (import ./lib) (import ./lib/../lib/default.nix) ]) (import (toString ./lib/double.nix) 1) ]
