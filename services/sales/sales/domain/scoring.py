"""How good a lead is (S-06): declared facts, rules as data, and a score that explains itself."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from kernel.pure.errors import Checks, Invalid
from kernel.pure.rules import Condition
from sales.domain.lead import LONGEST_TEXT, Lead
from sales.domain.reading import read_text

# Counted: so many occurrences.
COUNTED = (
    "opened_mail",
    "clicked_mail",
    "answered_call",
    "missed_call",
    "visited_site",
    "viewed_contract_template",
    "joined_demo",
)
# The latest value counts.
MEASURED = ("budget",)
FACT_KINDS = (*COUNTED, *MEASURED)
_LARGEST = 2**31 - 1
LARGEST_SCORE = 100
MOST_RULES = 50
MOST_FACTS = 100
LONGEST_KEY = 128
_SHORTEST = timedelta(seconds=1)
_LONGEST = timedelta(days=365)

# What a rule may speak of.
DECLARED: Mapping[str, Any] = {
    **dict.fromkeys(FACT_KINDS, int),
    **dict.fromkeys(("industry", "province", "city", "source_channel"), str),
    "industry_match": bool,
}


@dataclass(frozen=True)
class Fact:
    """Something a lead did; `key` tells one occurrence from another of its kind."""

    kind: str
    key: str
    value: int
    at: datetime


@dataclass(frozen=True)
class Mail:
    """What a customer did with a message of a campaign, as marketing told it (M-24); None: not yet."""

    message_id: UUID
    customer_id: UUID
    opened_at: datetime | None
    clicked_at: datetime | None

    def facts(self) -> list[Fact]:
        """Known of every lead of the customer; a message is opened once, and clicked once."""
        done = (("opened_mail", self.opened_at), ("clicked_mail", self.clicked_at))
        return [Fact(kind, str(self.message_id), 1, at) for kind, at in done if at is not None]


class Place(NamedTuple):
    """What is known of a lead besides facts."""

    industry: str
    province: str
    city: str
    source_channel: str

    @classmethod
    def of(cls, lead: Lead) -> Place:
        return cls(lead.industry, lead.province, lead.city, lead.source_channel)


@dataclass(frozen=True)
class ScoreRule:
    name: str
    condition: str
    points: int


@dataclass(frozen=True)
class Score:
    """`reasons` are (name of the rule, points) of the rules that applied."""

    score: int
    inputs: Mapping[str, int | str | bool]
    reasons: tuple[tuple[str, int], ...]


@dataclass(frozen=True)
class LeadRules:
    """How leads are scored, handed out and taken back; version 0 is not stored yet."""

    version: int
    score_rules: tuple[ScoreRule, ...]
    target_industries: tuple[str, ...]
    threshold: int
    return_after: timedelta
    first_follow_up: timedelta
    second_follow_up: timedelta
    claims_a_day: int
    most_held: int

    def hot(self, lead: Lead) -> bool:
        """Whether it must not wait (S-07, S-10)."""
        return lead.open and lead.score >= self.threshold

    def document(self) -> dict[str, Any]:
        """The rules as JSON holds them, without their version."""
        return {
            "score_rules": [[rule.name, rule.condition, rule.points] for rule in self.score_rules],
            "target_industries": list(self.target_industries),
            "threshold": self.threshold,
            "return_after": self.return_after.total_seconds(),
            "first_follow_up": self.first_follow_up.total_seconds(),
            "second_follow_up": self.second_follow_up.total_seconds(),
            "claims_a_day": self.claims_a_day,
            "most_held": self.most_held,
        }

    @classmethod
    def of(cls, version: int, document: Mapping[str, Any]) -> LeadRules:
        """The rules in a document."""
        return cls(
            version=version,
            score_rules=tuple(ScoreRule(*rule) for rule in document["score_rules"]),
            target_industries=tuple(document["target_industries"]),
            threshold=document["threshold"],
            return_after=timedelta(seconds=document["return_after"]),
            first_follow_up=timedelta(seconds=document["first_follow_up"]),
            second_follow_up=timedelta(seconds=document["second_follow_up"]),
            claims_a_day=document["claims_a_day"],
            most_held=document["most_held"],
        )


class Scorer:
    """The score rules of one version, read once."""

    def __init__(self, rules: LeadRules) -> None:
        self._rules = rules
        self._conditions = [(rule, Condition.read(rule.condition, DECLARED)) for rule in rules.score_rules]

    def score(self, place: Place, facts: Iterable[Fact]) -> Score:
        """The sum of the points of the rules that hold, within 0 and 100."""
        inputs: dict[str, int | str | bool] = {
            **summed(facts),
            **place._asdict(),
            "industry_match": place.industry in self._rules.target_industries,
        }
        reasons = tuple(
            (rule.name, rule.points) for rule, condition in self._conditions if condition.holds(inputs)
        )
        total = sum(points for _, points in reasons)
        return Score(max(0, min(LARGEST_SCORE, total)), inputs, reasons)


def summed(facts: Iterable[Fact]) -> dict[str, int]:
    """Every declared fact of a lead: how often what is counted, the latest of what is measured."""
    known = dict.fromkeys(FACT_KINDS, 0)
    for fact in sorted(facts, key=lambda fact: (fact.at, fact.key)):
        known[fact.kind] = known[fact.kind] + 1 if fact.kind in COUNTED else fact.value
    return known


def read_facts(facts: Sequence[Fact], now: datetime) -> list[Fact]:
    """The facts themselves. Raises Invalid naming every one that breaks a rule."""
    checks = Checks()
    if not 1 <= len(facts) <= MOST_FACTS:
        checks.refuse(
            "facts", "BATCH_SIZE", f"must hold 1 to {MOST_FACTS} items", f"必须包含 1 至 {MOST_FACTS} 项"
        )
    for index, fact in enumerate(facts[:MOST_FACTS]):
        at = f"facts[{index}]"
        if fact.kind not in FACT_KINDS:
            checks.refuse(f"{at}.kind", "UNKNOWN_FACT", "is no fact that is known", "不是已知的事实")
        read_text(checks, f"{at}.key", fact.key, LONGEST_KEY)
        if not 0 <= fact.value <= _LARGEST:
            checks.refuse(f"{at}.value", "NEGATIVE", "must not be negative", "不能为负数")
        if fact.at > now:
            checks.refuse(
                f"{at}.occur_time", "IN_THE_FUTURE", "must not be in the future", "不能是将来的时间"
            )
    checks.raise_if_any()
    return list(facts)


def read_rules(rules: LeadRules) -> LeadRules:
    """The rules themselves. Raises Invalid naming every field that breaks a rule, with its place."""
    checks = Checks()
    if not 1 <= len(rules.score_rules) <= MOST_RULES:
        en, zh = f"must hold 1 to {MOST_RULES} items", f"必须包含 1 至 {MOST_RULES} 项"
        checks.refuse("rules.score_rules", "RULE_COUNT", en, zh)
    if len({rule.name for rule in rules.score_rules}) < len(rules.score_rules):
        checks.refuse("rules.score_rules", "RULE_NAMES", "must have different names", "名称不能重复")
    for index, rule in enumerate(rules.score_rules[:MOST_RULES]):
        at = f"rules.score_rules[{index}]"
        read_text(checks, f"{at}.name", rule.name, LONGEST_TEXT)
        _within(checks, f"{at}.points", rule.points, -LARGEST_SCORE, LARGEST_SCORE)
        try:
            Condition.read(rule.condition, DECLARED, f"{at}.condition")
        except Invalid as error:
            checks.found.extend(error.violations)
    for index, industry in enumerate(rules.target_industries):
        read_text(checks, f"rules.target_industries[{index}]", industry, LONGEST_TEXT)
    _within(checks, "rules.threshold", rules.threshold, 1, LARGEST_SCORE)
    _within(checks, "rules.claims_a_day", rules.claims_a_day, 0, 10_000)
    _within(checks, "rules.most_held", rules.most_held, 1, 100_000)
    for name in ("return_after", "first_follow_up", "second_follow_up"):
        if not _SHORTEST <= getattr(rules, name) <= _LONGEST:
            checks.refuse(f"rules.{name}", "DURATION", "must be 1 second to 365 days", "必须为 1 秒至 365 天")
    checks.raise_if_any()
    return rules


def _within(checks: Checks, field: str, number: int, least: int, most: int) -> None:
    if not least <= number <= most:
        checks.refuse(field, "RANGE", f"must be {least} to {most}", f"必须在 {least} 至 {most} 之间")
