"""Lists the banned words below the paths given: `python -m tests.architecture.language services/sla docs`."""

import sys

from tests.architecture.language.check import findings

if __name__ == "__main__":
    found = list(findings(*sys.argv[1:]))
    for finding in found:
        print(finding)
    print(f"{len(found)} findings")
