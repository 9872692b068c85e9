"""What can be in the way of a wish to the sales service."""

from __future__ import annotations

from kernel.pure.errors import NotFound


class OrderNotFound(NotFound):
    reason = "ORDER_NOT_FOUND"
    en = "There is no such order, or it belongs to a customer you may not see."
    zh = "订单不存在，或属于您无权查看的客户。"


class ProductNotFound(NotFound):
    reason = "PRODUCT_NOT_FOUND"
    en = "There is no such product."
    zh = "产品不存在。"
