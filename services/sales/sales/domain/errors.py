"""What can be in the way of a wish to the sales service."""

from __future__ import annotations

from kernel.pure.errors import (
    Aborted,
    AlreadyExists,
    Exhausted,
    Forbidden,
    NotFound,
    Precondition,
    Unavailable,
)


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
    # Seconds; the next day may be as near.
    wait = 3600.0
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


class OpportunityNotFound(NotFound):
    reason = "OPPORTUNITY_NOT_FOUND"
    en = "There is no such opportunity, or it is not yours to see."
    zh = "商机不存在，或您无权查看。"


class OpportunityIsOver(Precondition):
    reason = "OPPORTUNITY_IS_OVER"
    en = "The opportunity has been won or lost."
    zh = "商机已成交或已丢失。"


class PipelineNotFound(NotFound):
    reason = "PIPELINE_NOT_FOUND"
    en = "There is no pipeline {pipeline}."
    zh = "销售流程 {pipeline} 不存在。"


class PipelineExists(AlreadyExists):
    reason = "PIPELINE_EXISTS"
    en = "There is a pipeline {pipeline} already."
    zh = "销售流程 {pipeline} 已存在。"


class StageNotFound(NotFound):
    reason = "STAGE_NOT_FOUND"
    en = "The pipeline has no stage {stage}."
    zh = "销售流程中没有阶段 {stage}。"


class StageNeeds(Precondition):
    reason = "STAGE_NEEDS"
    en = "Before the stage {stage} these must be entered: {missing}."
    zh = "进入阶段 {stage} 之前必须填写：{missing}。"


class DealNeedsWinning(Precondition):
    reason = "DEAL_NEEDS_WINNING"
    en = "The deal is entered by winning the opportunity."
    zh = "成交阶段只能通过赢单进入。"


class NotWonYet(Precondition):
    reason = "NOT_WON_YET"
    en = "This stage comes after the deal."
    zh = "该阶段在成交之后。"


class ProposalNotFound(NotFound):
    reason = "PROPOSAL_NOT_FOUND"
    en = "There is no proposal document."
    zh = "尚无方案文档。"


class ContractNotFound(NotFound):
    reason = "CONTRACT_NOT_FOUND"
    en = "There is no such contract, or it is not yours to see."
    zh = "合同不存在，或您无权查看。"


class ContractNotSigned(Precondition):
    reason = "CONTRACT_NOT_SIGNED"
    en = "The contract is not signed yet."
    zh = "合同尚未签署。"


class ContractHasEnded(Precondition):
    reason = "CONTRACT_HAS_ENDED"
    en = "The contract has ended already."
    zh = "合同已终止。"


class TemplateNotFound(NotFound):
    reason = "CONTRACT_TEMPLATE_NOT_FOUND"
    en = "There is no contract template {template}."
    zh = "合同模板 {template} 不存在。"
