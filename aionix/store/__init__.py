"""The arithmetic of the Nix store: hashes, NAR serialisation, store paths. No daemon, no disk.

nix32     the store's own base-32
hashes    digests, and their four spellings
nar       the archive format that says what a file tree is, hashed as it is walked
paths     store paths, from what they name
"""
