"""Starts moto on a free port of 127.0.0.1 and ends when its standard input is closed, so that a test
process that dies without cleaning up leaves no server behind."""

import os
import sys
import threading

from moto.server import main


def end_with_parent() -> None:
    sys.stdin.buffer.read()
    os._exit(0)


threading.Thread(target=end_with_parent, daemon=True).start()
main(["-H", "127.0.0.1", "-p", "0"])
