# `derivation`: one set for each output; the first of them stands for the whole.
arguments@{ outputs ? [ "out" ], ... }:
let
  result = derivationStrict arguments;

  shared = arguments // builtins.listToAttrs named // {
    all = map (output: output.value) named;
    drvAttrs = arguments;
  };

  named = map (outputName: {
    name = outputName;
    value = shared // {
      inherit outputName;
      inherit (result) drvPath;
      outPath = builtins.getAttr outputName result;
      type = "derivation";
    };
  }) outputs;
in
(builtins.head named).value
