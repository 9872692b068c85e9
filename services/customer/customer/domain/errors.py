"""What the customer service refuses, and why."""

from __future__ import annotations

from kernel.pure.errors import AlreadyExists, NotFound


class CustomerNotFound(NotFound):
    reason = "CUSTOMER_NOT_FOUND"
    en = "There is no customer {id} that you may see."
    zh = "没有您可以查看的客户 {id}。"


class ExternalIdTaken(AlreadyExists):
    reason = "EXTERNAL_ID_TAKEN"
    en = "Another customer already has the id {value} of {source}."
    zh = "另一个客户已使用 {source} 的编号 {value}。"


class SchemeNotFound(NotFound):
    reason = "SCHEME_NOT_FOUND"
    en = "There is no classification scheme {id}."
    zh = "没有分级方案 {id}。"
