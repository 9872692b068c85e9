"""python -m customer.api: answers gRPC calls."""

from kernel.rpc.server import main

from customer.api.customers import CustomerServicer
from customer.wiring import build

if __name__ == "__main__":
    app = build()
    main(app, {"crm.customer.v1.CustomerService": CustomerServicer(app)})
