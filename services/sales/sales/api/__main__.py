"""python -m sales.api: answers gRPC calls."""

from kernel.rpc.server import main
from sales.api.orders import OrderServicer
from sales.api.products import ProductServicer
from sales.wiring import build

if __name__ == "__main__":
    app = build()
    main(
        app,
        {
            "crm.sales.v1.OrderService": OrderServicer(app),
            "crm.sales.v1.ProductService": ProductServicer(app),
        },
    )
