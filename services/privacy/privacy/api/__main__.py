"""python -m privacy.api: answers gRPC calls."""

from kernel.rpc.server import main
from privacy.wiring import build

if __name__ == "__main__":
    main(build(), {})
