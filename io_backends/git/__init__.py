"""Git: the tree of a commit, of a repository of this machine or fetched from another.

    backend     Git: an EvalIO over a commit
    snapshot    the objects of one commit
    refs        which object a name stands for
    fetch       one commit over HTTP into a bare repository
    transport   the connections for that, which can be cut
    bounds      a pack is looked through before it is unpacked
"""

try:
    import dulwich as dulwich
except ModuleNotFoundError as error:  # pragma: no cover
    raise ImportError('Git needs dulwich: pip install "aionix-eval[git]"') from error

from io_backends.git.backend import Git as Git
