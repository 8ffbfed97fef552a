"""One tree in six places: its value is the same, and so is the store path of what it copies.

In this repository: pip install '.[git,http]'

Prints:
    memory ['home.html'] /nix/store/cd8vpci8i8jz4a47cnb7a6wv0jglfpna-pages
    disk   ['home.html'] /nix/store/cd8vpci8i8jz4a47cnb7a6wv0jglfpna-pages
    git    ['home.html'] /nix/store/cd8vpci8i8jz4a47cnb7a6wv0jglfpna-pages
    tar    ['home.html'] /nix/store/cd8vpci8i8jz4a47cnb7a6wv0jglfpna-pages
    nar    ['home.html'] /nix/store/cd8vpci8i8jz4a47cnb7a6wv0jglfpna-pages
    http   ['home.html'] /nix/store/cd8vpci8i8jz4a47cnb7a6wv0jglfpna-pages
"""

import tarfile
import tempfile
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from pathlib import Path
from threading import Thread

import anyio
from dulwich import porcelain

import aionix
from aionix.io import EvalIO
from aionix.store.nar import write_nar
from io_backends import Archive, Git, Http, LocalDisk, Memory, Nar
from io_backends.http import Autoindex

SITE = '{ source = "${./pages}"; pages = builtins.attrNames (builtins.readDir ./pages); }'
PAGE = "<h1>hello</h1>"


async def show(name: str, io: EvalIO) -> None:
    print(f"{name:6}", *(await aionix.evaluate_file("/site.nix", io=io)).to_python().values())


async def show_all(directory: Path, port: int) -> None:
    await show("memory", Memory({"site.nix": SITE, "pages": {"home.html": PAGE}}))
    await show("disk", LocalDisk(directory))
    await show("git", Git(directory))
    tar, nar = BytesIO(), anyio.wrap_file(BytesIO())
    with tarfile.open(fileobj=tar, mode="w:xz") as archive:
        archive.add(directory, ".")
    await show("tar", Archive(tar.getvalue()))
    await write_nar(LocalDisk(directory), "/", nar.write)
    await show("nar", Nar(nar.wrapped.getvalue()))
    async with Http(f"http://127.0.0.1:{port}", Autoindex()) as http:
        await show("http", http)


def main() -> None:
    with tempfile.TemporaryDirectory() as directory:
        root = Path(directory)
        (root / "site.nix").write_text(SITE)
        (root / "pages").mkdir()
        (root / "pages/home.html").write_text(PAGE)
        with porcelain.init(directory) as repository:
            porcelain.add(repository)
            porcelain.commit(repository, b"first", author=b"A <a@b>", committer=b"A <a@b>")
        handler = partial(SimpleHTTPRequestHandler, directory=directory)
        with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
            Thread(target=server.serve_forever).start()
            try:
                anyio.run(show_all, root, server.server_port)
            finally:
                server.shutdown()


if __name__ == "__main__":
    main()
