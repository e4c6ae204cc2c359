"""Freeze the surface of a release: `python -m tests.architecture.surface 0.2.0`. Empty changes.toml afterwards."""

import sys

from tests.architecture.surface.frozen import freeze

if __name__ == "__main__":
    for line in freeze(sys.argv[1]):
        print(line)
