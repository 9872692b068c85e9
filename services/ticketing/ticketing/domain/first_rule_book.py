"""The rule book every installation begins with; an enterprise publishes its own over it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_HOUR = 60
_DAY = 24 * _HOUR

FIRST: Mapping[str, Any] = {
    "word_lists": [
        {
            "name": "urgent",
            "words": ["紧急", "急！", "很急", "十万火急", "立即处理", "停机", "瘫痪", "无法使用", "事故",
                      "urgent", "asap", "emergency", "outage"],
        },
        {
            "name": "complaint",
            "words": ["投诉", "举报", "曝光", "12315", "维权", "赔偿", "态度恶劣", "complain"],
        },
        {"name": "anger", "words": ["忍无可忍", "太差", "欺骗", "骗子", "失望", "愤怒", "unacceptable"]},
        {"name": "invoice", "words": ["发票", "开票", "invoice"]},
        {"name": "delivery", "words": ["物流", "快递", "发货", "到货", "delivery", "shipping"]},
        {"name": "refund", "words": ["退款", "退货", "refund"]},
        {"name": "request", "words": ["申请", "办理", "开通"]},
    ],
    "kinds": [
        {"name": "says_complaint", "when": '"complaint" in words', "then": "complaint"},
        {"name": "says_request", "when": '"request" in words', "then": "request"},
    ],
    "topics": [
        {"name": "says_invoice", "when": '"invoice" in words', "then": "invoice"},
        {"name": "says_refund", "when": '"refund" in words', "then": "refund"},
        {"name": "says_delivery", "when": '"delivery" in words', "then": "delivery"},
    ],
    "priorities": [
        {"name": "says_urgent", "when": '"urgent" in words', "then": "urgent"},
        {
            "name": "core_complains",
            "when": 'kind == "complaint" && tier == "core"',
            "then": "urgent",
        },
        {"name": "complaint_or_anger", "when": 'kind == "complaint" || "anger" in words', "then": "high"},
        {
            "name": "valuable_customer",
            "when": 'tier in ["core", "important"] || rfm == "high_value"',
            "then": "high",
        },
    ],
    # Teams are the enterprise's own.
    "routing": [],
    "clocks": [
        {
            "name": "urgent_answer",
            "title": "紧急问题 1 小时内回复",
            "when": 'priority == "urgent"',
            "minutes": _HOUR,
            "until": "answered",
            "remind_minutes": 15,
        },
        {
            "name": "complaint_answer",
            "title": "投诉 1 小时内响应",
            "when": 'kind == "complaint"',
            "minutes": _HOUR,
            "until": "answered",
            "remind_minutes": 15,
        },
        {
            "name": "complaint_plan",
            "title": "投诉 24 小时内给出方案",
            "when": 'kind == "complaint"',
            "minutes": _DAY,
            "until": "planned",
            "remind_minutes": 2 * _HOUR,
        },
        {
            "name": "complaint_solve",
            "title": "投诉 48 小时内解决并反馈",
            "when": 'kind == "complaint"',
            "minutes": 2 * _DAY,
            "until": "solved",
            "pausing": True,
            "remind_minutes": 4 * _HOUR,
        },
        {
            "name": "valuable_answer",
            "title": "高价值客户 4 个工作小时内回复",
            "when": 'tier in ["core", "important"]',
            "minutes": 4 * _HOUR,
            "hours": "business",
            "until": "answered",
            "remind_minutes": 30,
        },
        {
            "name": "basic_answer",
            "title": "48 小时内响应",
            "when": "",
            "minutes": 2 * _DAY,
            "until": "answered",
            "remind_minutes": 4 * _HOUR,
        },
    ],
    "linking": {"window_hours": 72, "same_kind": True, "same_topic": True},
    "hours": {"opens": "09:00", "closes": "18:00", "days_off": [], "work_days": []},
    "capacity": 20,
    "close_after_days": 7,
    "survey_days": 14,
}  # fmt: skip
