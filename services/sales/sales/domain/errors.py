"""What can be in the way of a wish to the sales service."""

from __future__ import annotations

from kernel.pure.errors import Aborted, Exhausted, Forbidden, NotFound, Precondition, Unavailable


class OrderNotFound(NotFound):
    reason = "ORDER_NOT_FOUND"
    en = "There is no such order, or it belongs to a customer you may not see."
    zh = "订单不存在，或属于您无权查看的客户。"


class ProductNotFound(NotFound):
    reason = "PRODUCT_NOT_FOUND"
    en = "There is no such product."
    zh = "产品不存在。"


class LeadNotFound(NotFound):
    reason = "LEAD_NOT_FOUND"
    en = "There is no such lead, or it is not yours to see."
    zh = "线索不存在，或您无权查看。"


class LeadCustomerNotFound(NotFound):
    reason = "LEAD_CUSTOMER_NOT_FOUND"
    en = "There is no such customer, or they are not yours to see."
    zh = "客户不存在，或您无权查看。"


class LeadIsClosed(Precondition):
    reason = "LEAD_IS_CLOSED"
    en = "The lead is closed."
    zh = "线索已关闭。"


class LeadTaken(Aborted):
    reason = "LEAD_TAKEN"
    en = "Somebody else has taken the lead."
    zh = "线索已被他人领取。"


class ClaimLimitReached(Exhausted):
    reason = "CLAIM_LIMIT_REACHED"
    en = "You may take {limit} leads a day from the public pool."
    zh = "每天最多可从公海池领取 {limit} 条线索。"


class HoldingLimitReached(Precondition):
    reason = "HOLDING_LIMIT_REACHED"
    en = "You may hold {limit} open leads; close or give back some first."
    zh = "最多可持有 {limit} 条未关闭的线索，请先关闭或退回一些。"


class OwnerOutOfReach(Forbidden):
    reason = "LEAD_OWNER_OUT_OF_REACH"
    en = "You can't give leads to this user."
    zh = "您不能将线索分配给该用户。"


class LeadRulesNotFound(NotFound):
    reason = "LEAD_RULES_NOT_FOUND"
    en = "There is no such version of the rules."
    zh = "规则版本不存在。"


class LeadFormNotFound(NotFound):
    reason = "LEAD_FORM_NOT_FOUND"
    en = "There is no such form, or the key is not its key."
    zh = "表单不存在，或密钥不正确。"


class TooManySubmissions(Exhausted):
    reason = "TOO_MANY_SUBMISSIONS"
    en = "Too many forms came from you; try again later."
    zh = "提交过于频繁，请稍后再试。"


class CustomersUnreachable(Unavailable):
    reason = "CUSTOMERS_UNREACHABLE"
    en = "The customer service can't be reached; try again."
    zh = "暂时无法连接客户服务，请重试。"
