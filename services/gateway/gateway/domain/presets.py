"""The roles that every installation begins with. A release that changes them changes every installation."""

from __future__ import annotations

from gateway.domain.roles import Role
from kernel.pure.grants import Grant, Scope

ADMIN = "admin"

# What each permission allows, so that a preset reads as a list of rights.
_READ_CUSTOMERS = "customer.customers.read"
_CREATE_CUSTOMERS = "customer.customers.create"
_UPDATE_CUSTOMERS = "customer.customers.update"
_DELETE_CUSTOMERS = "customer.customers.delete"
_MERGE_CUSTOMERS = "customer.customers.merge"
_CHECK_DUPLICATES = "customer.duplicates.check"
_IMPORT_CUSTOMERS = "customer.customers.import"
_EXPORT_CUSTOMERS = "customer.customers.export"
# Cells as they are stored, which a spreadsheet may take for formulas: for programs.
_EXPORT_RAW = "customer.exports.raw"
_APPROVE_EXPORTS = "customer.exports.approve"
_MANAGE_EXPORTS = "customer.exports.manage"
# Personal fields: shown as they are, or masked until revealed for a reason.
_READ_PERSONAL = "customer.personal.read"
# Shows those whose data is restricted, to whom everybody else is refused.
_READ_RESTRICTED = "customer.restricted.read"
_REVEAL_PERSONAL = "customer.personal.reveal"
_CREATE_INTERACTIONS = "customer.interactions.create"
_READ_SCHEMES = "customer.schemes.read"
_READ_GROUPS = "customer.groups.read"
_WRITE_GROUPS = "customer.groups.write"
_READ_ORDERS = "sales.orders.read"
_WRITE_ORDERS = "sales.orders.write"
_READ_PRODUCTS = "sales.products.read"
_WRITE_PRODUCTS = "sales.products.write"
_READ_LEADS = "sales.leads.read"
_CREATE_LEADS = "sales.leads.create"
_UPDATE_LEADS = "sales.leads.update"
_ASSIGN_LEADS = "sales.leads.assign"
_READ_POOL = "sales.pool.read"
_CLAIM_FROM_POOL = "sales.pool.claim"
# Words about people: shown as they are, or masked.
_READ_WORDS = "sales.personal.read"
_MANAGE_FORMS = "sales.forms.manage"
_READ_OPPORTUNITIES = "sales.opportunities.read"
_UPDATE_OPPORTUNITIES = "sales.opportunities.update"
_READ_PIPELINES = "sales.pipelines.read"
_MANAGE_PIPELINES = "sales.pipelines.manage"
_READ_CONTRACTS = "sales.contracts.read"
_DOWNLOAD_CONTRACTS = "sales.contracts.download"
_RENEW_CONTRACTS = "sales.contracts.renew"
_MANAGE_CONTRACTS = "sales.contracts.manage"
_READ_RULES = "sales.rules.read"
_MANAGE_RULES = "sales.rules.manage"
_READ_PURPOSES = "privacy.purposes.read"
_MANAGE_PURPOSES = "privacy.purposes.manage"
_READ_CONSENTS = "privacy.consents.read"
_RECORD_CONSENTS = "privacy.consents.record"
_READ_ERASURES = "privacy.erasures.read"
_REQUEST_ERASURES = "privacy.erasures.request"
_MANAGE_ERASURES = "privacy.erasures.manage"
_MANAGE_HOLDS = "privacy.holds.manage"
_READ_AUDIT = "privacy.audit.read"
_READ_TICKETS = "ticketing.tickets.read"
_CREATE_TICKETS = "ticketing.tickets.create"
_UPDATE_TICKETS = "ticketing.tickets.update"
_ASSIGN_TICKETS = "ticketing.tickets.assign"
_READ_MESSAGES = "ticketing.messages.read"
# What people said in conversations, and who they are: shown as it is, or masked.
_READ_CONVERSATIONS = "ticketing.personal.read"
_CREATE_MESSAGES = "ticketing.messages.create"
_REVEAL_REQUESTERS = "ticketing.requesters.reveal"
_READ_TICKET_RULES = "ticketing.rules.read"
_MANAGE_TICKET_RULES = "ticketing.rules.manage"
_READ_AGENTS = "ticketing.agents.read"
_MANAGE_AGENTS = "ticketing.agents.manage"
_MANAGE_TICKET_FORMS = "ticketing.forms.manage"
_READ_USERS = "gateway.users.read"
_MANAGE_USERS = "gateway.users.manage"
_READ_TEAMS = "gateway.teams.read"
_MANAGE_TEAMS = "gateway.teams.manage"
_READ_ROLES = "gateway.roles.read"
_MANAGE_ROLES = "gateway.roles.manage"
_MANAGE_SERVICE_ACCOUNTS = "gateway.service_accounts.manage"
_READ_CAMPAIGNS = "marketing.campaigns.read"
_WRITE_CAMPAIGNS = "marketing.campaigns.write"
_SEND_CAMPAIGNS = "marketing.campaigns.send"
_MANAGE_CAPS = "marketing.caps.manage"
# Addresses that no campaign writes to.
_READ_SUPPRESSIONS = "marketing.suppressions.read"
_MANAGE_SUPPRESSIONS = "marketing.suppressions.manage"

_CAMPAIGNING = (_WRITE_CAMPAIGNS, _SEND_CAMPAIGNS, _MANAGE_CAPS)

_EVERY_READ = (
    _READ_TICKETS,
    _READ_TICKET_RULES,
    _READ_AGENTS,
    _READ_MESSAGES,
    _READ_CUSTOMERS,
    _READ_SCHEMES,
    _READ_GROUPS,
    _READ_ORDERS,
    _READ_PRODUCTS,
    _READ_LEADS,
    _READ_POOL,
    _READ_RULES,
    _READ_PURPOSES,
    _READ_CONSENTS,
    _READ_ERASURES,
    _READ_AUDIT,
    _READ_OPPORTUNITIES,
    _READ_PIPELINES,
    _READ_CONTRACTS,
    _READ_USERS,
    _READ_TEAMS,
    _READ_ROLES,
    _READ_CAMPAIGNS,
    _READ_SUPPRESSIONS,
)
_EVERY_CHANGE = (
    _CREATE_TICKETS,
    _MANAGE_TICKET_RULES,
    _MANAGE_AGENTS,
    _MANAGE_TICKET_FORMS,
    _UPDATE_TICKETS,
    _ASSIGN_TICKETS,
    _CREATE_MESSAGES,
    _REVEAL_REQUESTERS,
    _CREATE_CUSTOMERS,
    _UPDATE_CUSTOMERS,
    _DELETE_CUSTOMERS,
    _MERGE_CUSTOMERS,
    _CHECK_DUPLICATES,
    _IMPORT_CUSTOMERS,
    _EXPORT_CUSTOMERS,
    _APPROVE_EXPORTS,
    _MANAGE_EXPORTS,
    _REVEAL_PERSONAL,
    _CREATE_INTERACTIONS,
    _WRITE_GROUPS,
    _WRITE_ORDERS,
    _WRITE_PRODUCTS,
    _CREATE_LEADS,
    _UPDATE_LEADS,
    _ASSIGN_LEADS,
    _CLAIM_FROM_POOL,
    _MANAGE_FORMS,
    _MANAGE_RULES,
    _MANAGE_PURPOSES,
    _RECORD_CONSENTS,
    _REQUEST_ERASURES,
    _MANAGE_ERASURES,
    _MANAGE_HOLDS,
    _UPDATE_OPPORTUNITIES,
    _MANAGE_PIPELINES,
    _DOWNLOAD_CONTRACTS,
    _RENEW_CONTRACTS,
    _MANAGE_CONTRACTS,
    _MANAGE_USERS,
    _MANAGE_TEAMS,
    _MANAGE_ROLES,
    _MANAGE_SERVICE_ACCOUNTS,
    _MANAGE_SUPPRESSIONS,
    *_CAMPAIGNING,
)
# A seller's and a manager's daily work, in their own reach.
_SELLING = (
    _READ_CUSTOMERS,
    _CREATE_CUSTOMERS,
    _UPDATE_CUSTOMERS,
    _CHECK_DUPLICATES,
    _CREATE_INTERACTIONS,
    _READ_ORDERS,
    _READ_LEADS,
    _CREATE_LEADS,
    _UPDATE_LEADS,
    _READ_WORDS,
    _READ_CONSENTS,
    _RECORD_CONSENTS,
    _REQUEST_ERASURES,
    _READ_OPPORTUNITIES,
    _UPDATE_OPPORTUNITIES,
    _READ_CONTRACTS,
    _DOWNLOAD_CONTRACTS,
    _RENEW_CONTRACTS,
)
_SERVING = (
    _READ_TICKETS,
    _CREATE_TICKETS,
    _UPDATE_TICKETS,
    _READ_MESSAGES,
    _READ_CONVERSATIONS,
    _CREATE_MESSAGES,
    _REVEAL_REQUESTERS,
    _READ_CUSTOMERS,
    _UPDATE_CUSTOMERS,
    _CHECK_DUPLICATES,
    _CREATE_INTERACTIONS,
    _REVEAL_PERSONAL,
    _READ_ORDERS,
    _READ_CONSENTS,
    _RECORD_CONSENTS,
    _REQUEST_ERASURES,
)
# The officer's work (PIPL article 52).
_CARING_FOR_PRIVACY = (
    _READ_RESTRICTED,
    _READ_PURPOSES,
    _MANAGE_PURPOSES,
    _READ_CONSENTS,
    _RECORD_CONSENTS,
    _READ_ERASURES,
    _REQUEST_ERASURES,
    _MANAGE_ERASURES,
    _MANAGE_HOLDS,
    _READ_AUDIT,
    _READ_SUPPRESSIONS,
    _MANAGE_SUPPRESSIONS,
)
# What those who have a ticket in hand do with it.
_HANDLING = (_READ_TICKETS, _UPDATE_TICKETS, _READ_MESSAGES, _READ_CONVERSATIONS, _CREATE_MESSAGES)
# Belongs to nobody, hence to all who need it.
_REFERENCE = (_READ_SCHEMES, _READ_GROUPS, _READ_PRODUCTS, _READ_PURPOSES)
_POOL = (_READ_POOL, _CLAIM_FROM_POOL, _READ_RULES, _READ_PIPELINES)
_DIRECTORY = (_READ_USERS, _READ_TEAMS)


def _preset(id: str, title_en: str, title_zh: str, **permissions: tuple[str, ...]) -> Role:
    """Permissions by the lower-case name of their scope."""
    grants = (
        Grant(permission, Scope[scope.upper()]) for scope, held in permissions.items() for permission in held
    )
    return Role(id, title_en, title_zh, tuple(grants), preset=True)


PRESETS = (
    _preset(ADMIN, "Administrator", "系统管理员", all=(*_EVERY_READ, *_EVERY_CHANGE)),
    _preset(
        "seller",
        "Seller",
        "销售",
        own=(*_SELLING, *_HANDLING, _READ_PERSONAL),
        all=(*_REFERENCE, *_POOL),
    ),
    _preset(
        "sales_manager",
        "Sales manager",
        "销售经理",
        subtree=(
            *_SELLING,
            *_HANDLING,
            _ASSIGN_TICKETS,
            _REVEAL_REQUESTERS,
            _DELETE_CUSTOMERS,
            _MERGE_CUSTOMERS,
            _IMPORT_CUSTOMERS,
            _EXPORT_CUSTOMERS,
            _REVEAL_PERSONAL,
            _ASSIGN_LEADS,
        ),
        all=(
            *_REFERENCE,
            *_DIRECTORY,
            *_POOL,
            _MANAGE_RULES,
            _WRITE_GROUPS,
            _MANAGE_PIPELINES,
            _MANAGE_CONTRACTS,
        ),
    ),
    _preset("agent", "Service agent", "客服", team=(_ASSIGN_TICKETS,), all=(*_SERVING, *_REFERENCE)),
    _preset(
        "service_manager",
        "Service manager",
        "客服经理",
        all=(
            *_SERVING,
            _ASSIGN_TICKETS,
            _READ_TICKET_RULES,
            _MANAGE_TICKET_RULES,
            _READ_AGENTS,
            _MANAGE_AGENTS,
            _MANAGE_TICKET_FORMS,
            *_REFERENCE,
            *_DIRECTORY,
        ),
    ),
    _preset(
        "marketer",
        "Marketer",
        "市场专员",
        all=(
            _READ_CUSTOMERS,
            _READ_ORDERS,
            _READ_CONSENTS,
            _READ_CAMPAIGNS,
            _READ_SUPPRESSIONS,
            *_CAMPAIGNING,
            *_REFERENCE,
            _READ_LEADS,
            _CREATE_LEADS,
            _MANAGE_FORMS,
            _READ_RULES,
            _WRITE_GROUPS,
        ),
    ),
    _preset(
        "privacy_officer",
        "Privacy officer",
        "个人信息保护负责人",
        all=(
            _READ_CUSTOMERS,
            _UPDATE_CUSTOMERS,
            _REVEAL_PERSONAL,
            _APPROVE_EXPORTS,
            _READ_TICKETS,
            _READ_MESSAGES,
            _READ_ORDERS,
            _READ_SCHEMES,
            *_CARING_FOR_PRIVACY,
            _READ_GROUPS,
            *_DIRECTORY,
        ),
    ),
    _preset("auditor", "Auditor", "审计员", all=_EVERY_READ),
    _preset(
        "integration",
        "Integration",
        "系统集成",
        all=(
            _READ_CUSTOMERS,
            _CREATE_CUSTOMERS,
            _UPDATE_CUSTOMERS,
            _CHECK_DUPLICATES,
            # Its imports may merge.
            _MERGE_CUSTOMERS,
            _IMPORT_CUSTOMERS,
            _EXPORT_CUSTOMERS,
            _EXPORT_RAW,
            _READ_PERSONAL,
            _CREATE_INTERACTIONS,
            _READ_TICKETS,
            _CREATE_TICKETS,
            _CREATE_MESSAGES,
            _READ_ORDERS,
            _WRITE_ORDERS,
            _READ_PRODUCTS,
            _WRITE_PRODUCTS,
            _CREATE_LEADS,
            _READ_LEADS,
            _UPDATE_LEADS,
            _READ_PURPOSES,
            _READ_CONSENTS,
            _RECORD_CONSENTS,
        ),
    ),
    _preset(
        "customer",
        "Customer",
        "客户",
        self=(
            _READ_CUSTOMERS,
            _READ_PERSONAL,
            _UPDATE_CUSTOMERS,
            _READ_ORDERS,
            _READ_CONSENTS,
            _RECORD_CONSENTS,
            _REQUEST_ERASURES,
        ),
    ),
)

# Each permission there is stands in a preset, so the presets tell which exist, and which are about
# records that somebody owns: those that one of them gives with a narrower scope than all.
PERMISSIONS = frozenset(grant.permission for role in PRESETS for grant in role.grants)
NARROWABLE = frozenset(
    grant.permission for role in PRESETS for grant in role.grants if grant.scope is not Scope.ALL
)
