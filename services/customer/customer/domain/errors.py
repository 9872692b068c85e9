"""What the customer service refuses, and why."""

from __future__ import annotations

from kernel.pure.errors import AlreadyExists, Exhausted, Forbidden, NotFound, Precondition


class CustomerNotFound(NotFound):
    reason = "CUSTOMER_NOT_FOUND"
    en = "There is no customer {id} that you may see."
    zh = "没有您可以查看的客户 {id}。"


class CustomerNotDeleted(AlreadyExists):
    reason = "CUSTOMER_NOT_DELETED"
    en = "The customer {id} is not deleted."
    zh = "客户 {id} 没有被删除。"


class NotAPerson(Precondition):
    reason = "NOT_A_PERSON"
    en = "The customer {id} is a company, of which nothing is masked."
    zh = "客户 {id} 是企业，没有脱敏的信息。"


class ExternalIdTaken(AlreadyExists):
    reason = "EXTERNAL_ID_TAKEN"
    en = "Another customer already has the id {value} of {source}."
    zh = "另一个客户已使用 {source} 的编号 {value}。"


class OwnerOutOfReach(Forbidden):
    reason = "OWNER_OUT_OF_REACH"
    en = "You may not make the user {id} the owner of customers."
    zh = "您不能将客户归属给用户 {id}。"


class RelationNotFound(NotFound):
    reason = "RELATION_NOT_FOUND"
    en = "There is no relation {id} that you may see."
    zh = "没有您可以查看的关系 {id}。"


class RelationExists(AlreadyExists):
    reason = "RELATION_EXISTS"
    en = "There is already a {kind} relation between {from_id} and {to_id}."
    zh = "{from_id} 与 {to_id} 之间已有 {kind} 关系。"


class SchemeNotFound(NotFound):
    reason = "SCHEME_NOT_FOUND"
    en = "There is no classification scheme {id}."
    zh = "没有分级方案 {id}。"


class GroupNotFound(NotFound):
    reason = "GROUP_NOT_FOUND"
    en = "There is no group {id}."
    zh = "没有客户群 {id}。"


class GroupNameTaken(AlreadyExists):
    reason = "GROUP_NAME_TAKEN"
    en = "The group {id} has this name."
    zh = "客户群 {id} 已使用该名称。"


class TooManyGroups(Exhausted):
    wait = None
    reason = "GROUPS_EXHAUSTED"
    en = "There are {most} groups already; delete one first."
    zh = "已有 {most} 个客户群，请先删除不用的。"


class GroupNotReady(Precondition):
    reason = "GROUP_NOT_READY"
    en = "The members of the group {id} are being found; try again soon."
    zh = "客户群 {id} 的成员正在计算，请稍后再试。"


class SurvivorAbsorbed(Precondition):
    reason = "SURVIVOR_ABSORBED"
    en = "The customer {id} was itself merged into {survivor_id}."
    zh = "客户 {id} 已被合并到 {survivor_id}。"


class AlreadyMerged(Precondition):
    reason = "CUSTOMER_ALREADY_MERGED"
    en = "The customer {id} was merged into another one, {survivor_id}."
    zh = "客户 {id} 已被合并到另一个客户 {survivor_id}。"


class KindsDiffer(Precondition):
    reason = "KINDS_DIFFER"
    en = "A person and a company can't be one customer: {id} and {survivor_id}."
    zh = "个人与企业不能合并：{id} 与 {survivor_id}。"


class ValueOfAbsorbed(Precondition):
    reason = "VALUE_OF_ABSORBED_CUSTOMER"
    en = "{field} shows what the merged customer {id} knows; take that one out of the merge to change it."
    zh = "{field} 显示的是已合并客户 {id} 的信息，请先取消该合并再修改。"


class NotMerged(Precondition):
    reason = "CUSTOMER_NOT_MERGED"
    en = "The customer {id} is not merged into another one."
    zh = "客户 {id} 没有被合并。"


class DuplicateCustomer(AlreadyExists):
    reason = "DUPLICATE_CUSTOMER"
    en = "A known customer is surely the same: {id}."
    zh = "已有相同的客户：{id}。"


class DuplicateElsewhere(AlreadyExists):
    reason = "DUPLICATE_CUSTOMER_ELSEWHERE"
    en = "A customer of another team is surely the same: team {team_id}."
    zh = "其他团队已有相同的客户：团队 {team_id}。"


class TooManyQuestions(Exhausted):
    reason = "DUPLICATE_CHECKS_EXHAUSTED"
    en = "You have learnt of too many customers of other teams; try again later."
    zh = "查询到其他团队客户的次数过多，请稍后再试。"

    def __init__(self, retry_after: float) -> None:
        super().__init__()
        self.retry_after = retry_after


class PairNotFound(NotFound):
    reason = "DUPLICATE_PAIR_NOT_FOUND"
    en = "There is no pair {first_id}, {second_id} to be decided that you may merge."
    zh = "没有您可以处理的重复客户 {first_id}、{second_id}。"


class ScanNotFound(NotFound):
    reason = "DUPLICATE_SCAN_NOT_FOUND"
    en = "There is no scan {id} that you may see."
    zh = "没有您可以查看的查重任务 {id}。"
