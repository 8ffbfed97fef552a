"""The first lines of the programs.

They are outside of `aionix` because importing anything from there imports the evaluator. Meanwhile the
collector would look 60 times through new objects, none of which is garbage: a tenth of a short run.
"""

import gc


def aionix() -> None:
    """`aionix`"""
    gc.disable()  # until `cli.terminal.run_program`
    from aionix.cli.commands import main

    main()


def instantiate() -> None:
    """`aionix-instantiate`"""
    gc.disable()
    from aionix.cli.instantiate import main

    main()
