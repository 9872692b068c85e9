"""What the customer service refuses, and why."""

from __future__ import annotations

from kernel.pure.errors import AlreadyExists, NotFound, Precondition


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


class NotMerged(Precondition):
    reason = "CUSTOMER_NOT_MERGED"
    en = "The customer {id} is not merged into another one."
    zh = "客户 {id} 没有被合并。"
