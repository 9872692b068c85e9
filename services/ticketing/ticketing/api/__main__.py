"""python -m ticketing.api: answers gRPC calls."""

from kernel.rpc.server import main
from ticketing.wiring import build

if __name__ == "__main__":
    main(build(), {})
