"""python -m sales.api: answers gRPC calls."""

from kernel.rpc.channel import Peers
from kernel.rpc.server import main
from sales.api.servicers import servicers
from sales.wiring import build

if __name__ == "__main__":
    app = build()
    peers = Peers(app.settings)
    app.on_close(peers.close)
    main(app, servicers(app, peers))
