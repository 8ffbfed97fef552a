"""Runs a command, and writes its status, its seconds and those of the processor, and its peak
memory in KiB to a file descriptor.

    python -IS weigh.py DESCRIPTOR COMMAND [ARGUMENT...]

A process of its own, and a small one: the largest resident set of a child begins with what its parent
has when it starts it.
"""

import os
import sys
import time

start = time.perf_counter()
child = os.posix_spawn(sys.argv[2], sys.argv[2:], os.environ)
_, status, usage = os.wait4(child, 0)
seconds = time.perf_counter() - start
processor = usage.ru_utime + usage.ru_stime
report = f"{os.waitstatus_to_exitcode(status)} {seconds} {processor} {usage.ru_maxrss}"
os.write(int(sys.argv[1]), report.encode())
