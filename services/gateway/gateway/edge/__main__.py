"""`python -m gateway.edge render`: writes Envoy's files into CRM_EDGE_DIR.

Reads CRM_EDGE_* (see settings) and, for the public keys of the access tokens, the gateway service's own
settings. Prints the path of the file to start Envoy with: `envoy -c <path>`.
"""

from __future__ import annotations

import sys

from gateway import wiring
from gateway.edge.render import render
from gateway.edge.settings import EdgeSettings


def main(arguments: list[str]) -> int:
    if arguments != ["render"]:
        print("usage: python -m gateway.edge render", file=sys.stderr)
        return 2
    settings = EdgeSettings()
    print(render(settings, wiring.build().public_keys()))
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
