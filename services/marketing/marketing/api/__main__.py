"""python -m marketing.api: answers gRPC calls."""

from kernel.rpc.server import main
from marketing.wiring import build

if __name__ == "__main__":
    main(build(), {})
