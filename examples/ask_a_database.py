"""Nix code that asks a database: an async builtin, and SQLite on a worker thread.

Prints:
    {'alice': ['db', 'web'], 'bob': ['web']}
"""

import sqlite3

import anyio

import aionix

SCHEMA = """
    CREATE TABLE access (person TEXT, host TEXT);
    INSERT INTO access VALUES ('alice', 'db'), ('alice', 'web'), ('bob', 'web');
"""

#: The code names people; who may do what is known to the database alone.
CODE = "builtins.listToAttrs (map (name: { inherit name; value = hostsOf name; }) people)"


async def main() -> None:
    database = sqlite3.connect(":memory:", check_same_thread=False)
    one_at_a_time = anyio.Lock()  # SQLite's connection is for one thread at a time

    def query(person: str) -> list[str]:
        rows = database.execute("SELECT host FROM access WHERE person = ? ORDER BY host", [person])
        return [host for (host,) in rows]

    @aionix.builtin(name="hostsOf")
    async def hosts_of(person: str) -> list[str]:
        """The event loop goes on meanwhile, and so does the code, with what does not need the answer."""
        async with one_at_a_time:
            return await anyio.to_thread.run_sync(query, person)

    database.executescript(SCHEMA)
    value = await aionix.evaluate(CODE, people=["alice", "bob"], hostsOf=hosts_of)
    print(value.to_python())
    database.close()


if __name__ == "__main__":
    anyio.run(main)
