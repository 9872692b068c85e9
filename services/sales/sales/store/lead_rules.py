"""Versions of the rules about leads, as rows."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime

from sqlalchemy.orm import Session

from sales.domain.errors import LeadRulesNotFound
from sales.domain.scoring import LeadRules

_IN_FORCE = """
    select version, document from lead_rules where activated_at is not null
    order by activated_at desc, version desc limit 1
"""
_VERSION = "select version, document from lead_rules where version = %(version)s"
# Two who add a version at once wait for each other here.
_ALONE = "select pg_advisory_xact_lock(hashtext('sales.lead_rules'))"
_ADD = """
    insert into lead_rules (version, document, created_at)
    select coalesce(max(version), 0) + 1, %(document)s::jsonb, %(now)s from lead_rules
    returning version
"""
_ACTIVATE = "update lead_rules set activated_at = clock_timestamp() where version = %(version)s"


class RuleRepository:
    def __init__(self, session: Session, now: datetime) -> None:
        self._run = session.connection
        self._now = now

    def in_force(self) -> LeadRules:
        row = self._run().exec_driver_sql(_IN_FORCE).one()
        return LeadRules.of(row.version, row.document)

    def version(self, version: int) -> LeadRules:
        """Raises LeadRulesNotFound."""
        row = self._run().exec_driver_sql(_VERSION, {"version": version}).first()
        if row is None:
            raise LeadRulesNotFound
        return LeadRules.of(row.version, row.document)

    def add(self, rules: LeadRules) -> LeadRules:
        """Stores the rules as the next version."""
        self._run().exec_driver_sql(_ALONE)
        document = json.dumps(rules.document(), ensure_ascii=False)
        stored = self._run().exec_driver_sql(_ADD, {"document": document, "now": self._now})
        return replace(rules, version=stored.scalar_one())

    def activate(self, version: int) -> None:
        self._run().exec_driver_sql(_ACTIVATE, {"version": version})
