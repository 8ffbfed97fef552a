"""Derivations without a store: their paths, their `.drv` files, and why two of them differ.

Prints:
    /nix/store/24nv1syviyjlqlhi5m2pwfabqqr9avnr-service.drv
    ['config.drv', 'service.drv']
    service differs because of its input config (variable 'text')

    config, needed by service
      - /nix/store/f26rz13id0spjli9d6xka001jq8l3pmf-config.drv
      + /nix/store/cdlidkaakxlip2qamsbn4sw1vlb483gq-config.drv
      variable 'text':
        - port = 80
        + port = 8080
"""

import asyncio
import tempfile

import aionix

CODE = """
{ port }:
let
  make = name: more: derivation ({ inherit name; system = "x86_64-linux"; builder = "/bin/sh"; } // more);
  config = make "config" { text = "port = ${toString port}"; };
in
make "service" { inherit config; args = [ "-c" "cp -r $config $out" ]; }
"""


async def main() -> None:
    evaluation = aionix.Evaluation.builder_pure().build()
    service = (await evaluation.evaluate(CODE)).unwrap()

    async def path(port: int) -> str:
        derivation = await service.call({"port": port})
        return str((await derivation.get("drvPath")).to_python())

    old, new = await path(80), await path(8080)
    print(new)

    with tempfile.TemporaryDirectory() as directory:
        written = await evaluation.store.write_to(directory, [new])
        print(sorted(path.split("-", 1)[1] for path in written))

    print(evaluation.store.difference(old, new), end="")


if __name__ == "__main__":
    asyncio.run(main())
