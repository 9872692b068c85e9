"""What can be in the way of a wish to the ticketing service."""

from __future__ import annotations

from kernel.pure.errors import Exhausted, NotFound, Precondition


class TicketNotFound(NotFound):
    reason = "TICKET_NOT_FOUND"
    en = "There is no such ticket, or you may not see it."
    zh = "工单不存在，或您无权查看。"


class TicketStatusForbids(Precondition):
    reason = "TICKET_STATUS_FORBIDS"
    en = "A ticket that is {status} can't be made {wanted}."
    zh = "状态为 {status} 的工单不能变为 {wanted}。"


class TicketErased(Precondition):
    reason = "TICKET_ERASED"
    en = "What was said in this ticket was erased; it can't be worked on any more."
    zh = "该工单的内容已被删除，无法再处理。"


class UnknownCustomer(Precondition):
    reason = "TICKET_CUSTOMER_UNKNOWN"
    en = "The ticketing service knows no such customer."
    zh = "工单服务中没有该客户。"


class UnknownAgent(Precondition):
    reason = "TICKET_AGENT_UNKNOWN"
    en = "The assignee is no member of staff, has left, or belongs to another team."
    zh = "该受理人不是在职员工，或不属于该团队。"


class RuleBookNotFound(NotFound):
    reason = "RULE_BOOK_NOT_FOUND"
    en = "There is no such version of the rule book."
    zh = "没有该版本的规则手册。"


class RequesterUnknown(NotFound):
    reason = "REQUESTER_UNKNOWN"
    en = "Nothing is known of who asked, or it was erased."
    zh = "没有提问人的信息，或其信息已被删除。"


class TicketFormNotFound(NotFound):
    reason = "TICKET_FORM_NOT_FOUND"
    en = "There is no such form, or the key is not its key."
    zh = "表单不存在，或密钥不正确。"


class TooManyForms(Exhausted):
    reason = "TOO_MANY_FORMS"
    en = "Too many forms came from your address; try again later."
    zh = "您的地址提交次数过多，请稍后再试。"

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self.retry_after = seconds


class SurveyNotFound(NotFound):
    reason = "SURVEY_NOT_FOUND"
    en = "There is no such survey, or it has ended."
    zh = "调查不存在或已结束。"


class SurveyAnsweredBefore(Precondition):
    reason = "SURVEY_ANSWERED"
    en = "This survey was answered before, thank you."
    zh = "该调查已提交，谢谢。"
