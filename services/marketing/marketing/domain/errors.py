"""What can be in the way of a wish to the marketing service."""

from __future__ import annotations

from kernel.pure.errors import NotFound, Precondition


class CampaignNotFound(NotFound):
    reason = "CAMPAIGN_NOT_FOUND"
    en = "There is no such campaign."
    zh = "营销活动不存在。"


class CampaignMoved(Precondition):
    reason = "CAMPAIGN_STATUS"
    en = "A campaign that is {status} can't be {wish}."
    zh = "状态为 {status} 的营销活动不能执行 {wish}。"


class LinkNotFound(NotFound):
    """Also for a forged token: the two look the same."""

    reason = "TRACKING_LINK_NOT_FOUND"
    en = "This link leads nowhere."
    zh = "该链接无效。"


class SuppressionNotFound(NotFound):
    reason = "SUPPRESSION_NOT_FOUND"
    en = "There is no such address on the list of those that are not written to."
    zh = "不再发送名单中没有该条目。"
