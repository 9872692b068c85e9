"""The rule book: how tickets are classified, prioritised, routed, linked and timed. Data, in versions.

Rules are asked in order; the first whose condition holds decides. Conditions are expressions over FACTS.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, time, timedelta
from typing import Any, TypeVar
from uuid import UUID
from zoneinfo import ZoneInfo

from kernel.pure.errors import Checks, Invalid
from kernel.pure.rules import Condition, Kinds
from kernel.pure.text.folding import fold
from kernel.pure.workdays import is_workday
from ticketing.domain.clocks import AllHours, Hours, OpeningHours

KINDS = ("consultation", "complaint", "request")
PRIORITIES = ("urgent", "high", "normal", "low")
UNTIL = ("answered", "planned", "solved")

# What a condition may ask.
FACTS: Kinds = {
    "kind": str,
    "topic": str,
    "priority": str,
    "channel": str,
    # "zh" or "en", by the letters of the words.
    "language": str,
    # Class of the customer under the scheme spend_tier; empty while there is none.
    "tier": str,
    # Class under the scheme rfm.
    "rfm": str,
    # Whether it is known whose concern it is.
    "known": bool,
    # Names of the word lists of which a word was said.
    "words": list[str],
}
# A ticket as rules see it: every one of FACTS.
Facts = Mapping[str, Any]
_MOST_RULES = 200
_MOST_WORDS = 500
_LONGEST_MINUTES = 60 * 24 * 90
_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")

T = TypeVar("T")


@dataclass(frozen=True)
class Rule:
    """When `when` holds, the answer is `then`: a kind, a topic, a priority or the id of a team.

    Without a condition it always holds.
    """

    name: str
    when: Condition | None
    then: str

    def holds(self, facts: Facts) -> bool:
        return self.when is None or self.when.holds(facts)


@dataclass(frozen=True)
class ClockRule:
    """Tickets for which `when` holds must be `until` within `minutes`."""

    name: str
    title: str
    when: Condition | None
    minutes: int
    hours: str
    until: str
    pausing: bool
    remind_minutes: int

    def holds(self, facts: Facts) -> bool:
        return self.when is None or self.when.holds(facts)


@dataclass(frozen=True)
class Linking:
    """What a customer says within `window` of their last word belongs to the ticket that is open."""

    window: timedelta
    same_kind: bool
    same_topic: bool


@dataclass(frozen=True)
class RuleBook:
    version: int
    # What it was read from, as it is stored and shown.
    document: Mapping[str, Any] = field(repr=False)
    # Folded words by the name of their list.
    words: Mapping[str, tuple[str, ...]]
    kinds: tuple[Rule, ...]
    topics: tuple[Rule, ...]
    priorities: tuple[Rule, ...]
    routing: tuple[Rule, ...]
    clocks: tuple[ClockRule, ...]
    linking: Linking
    opens: time
    closes: time
    days_off: frozenset[date]
    work_days: frozenset[date]
    # Tickets that an agent of whom nothing else is said may have in hand.
    capacity: int
    # Days after which a resolved ticket is closed; 0: only by hand.
    close_after_days: int
    # Days for which a closed ticket's survey can be answered; 0: none is sent.
    survey_days: int

    def hours(self, kind: str, zone: ZoneInfo) -> Hours:
        """The hours "wall" or "business"."""
        return AllHours() if kind == "wall" else OpeningHours(self.opens, self.closes, zone, self._is_workday)

    def said(self, text: str) -> tuple[str, ...]:
        """Names of the word lists of which a word stands in `text`, whatever its width or case."""
        folded = fold(text)
        return tuple(name for name, words in self.words.items() if any(word in folded for word in words))

    def _is_workday(self, day: date) -> bool:
        return day in self.work_days or (day not in self.days_off and is_workday(day))


def first(rules: Sequence[Rule], facts: Facts) -> Rule | None:
    """The first rule whose condition holds."""
    return next((rule for rule in rules if rule.holds(facts)), None)


def read_rule_book(version: int, document: Mapping[str, Any]) -> RuleBook:
    """The rule book of a document. Raises Invalid naming every place that breaks a rule."""
    reading = _Reading(document)
    lists = {
        name: words
        for at, entry in reading.entries("word_lists", _MOST_RULES)
        if (name := reading.name(at, entry)) and (words := reading.words(at, entry))
    }
    hours = document.get("hours", {})
    linking = document.get("linking", {})
    book = RuleBook(
        version=version,
        document=document,
        words=lists,
        kinds=reading.rules("kinds", KINDS.__contains__),
        topics=reading.rules("topics", _is_name),
        priorities=reading.rules("priorities", PRIORITIES.__contains__),
        routing=reading.rules("routing", _is_id),
        clocks=reading.clocks(),
        linking=Linking(
            timedelta(hours=reading.whole("linking.window_hours", linking.get("window_hours", 72), 0, 2160)),
            bool(linking.get("same_kind", True)),
            bool(linking.get("same_topic", True)),
        ),
        opens=reading.time("hours.opens", hours.get("opens", "09:00")),
        closes=reading.time("hours.closes", hours.get("closes", "18:00")),
        days_off=reading.days("hours.days_off", hours.get("days_off", [])),
        work_days=reading.days("hours.work_days", hours.get("work_days", [])),
        capacity=reading.whole("capacity", document.get("capacity", 20), 1, 1000),
        close_after_days=reading.whole("close_after_days", document.get("close_after_days", 7), 0, 365),
        survey_days=reading.whole("survey_days", document.get("survey_days", 14), 0, 90),
    )
    if book.opens >= book.closes:
        reading.checks.refuse("hours.closes", "ORDER", "must be after it opens", "必须晚于开始时间")
    reading.checks.raise_if_any()
    return book


class _Reading:
    """Reads the parts of a document; collects what is wrong."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self._document = document
        self.checks = Checks()

    def entries(self, section: str, most: int) -> list[tuple[str, Mapping[str, Any]]]:
        """The members of a list, with their places; their names must differ."""
        members = list(self._document.get(section, []))
        if len(members) > most:
            self.checks.refuse(section, "TOO_MANY", f"holds at most {most} entries", f"最多 {most} 条")
        names = [str(member.get("name", "")) for member in members]
        if len(set(names)) < len(names):
            self.checks.refuse(section, "NAMES_DIFFER", "names must differ", "名称不能重复")
        return [(f"{section}[{index}]", member) for index, member in enumerate(members[:most])]

    def name(self, at: str, entry: Mapping[str, Any]) -> str:
        name = str(entry.get("name", ""))
        if not _is_name(name):
            self.checks.refuse(
                f"{at}.name",
                "NAME",
                "must be lower-case letters, digits and underscores",
                "必须由小写字母、数字和下划线组成",
            )
        return name

    def words(self, at: str, entry: Mapping[str, Any]) -> tuple[str, ...]:
        words = tuple(filter(None, (fold(str(word)).strip() for word in entry.get("words", []))))
        if not 1 <= len(words) <= _MOST_WORDS:
            self.checks.refuse(
                f"{at}.words",
                "WORDS",
                f"must hold 1 to {_MOST_WORDS} words",
                f"必须有 1 到 {_MOST_WORDS} 个词",
            )
        return words

    def rules(self, section: str, is_answer: Callable[[str], bool]) -> tuple[Rule, ...]:
        return tuple(
            Rule(self.name(at, entry), self.condition(at, entry), self.answer(at, entry, is_answer))
            for at, entry in self.entries(section, _MOST_RULES)
        )

    def answer(self, at: str, entry: Mapping[str, Any], is_answer: Callable[[str], bool]) -> str:
        answer = str(entry.get("then", ""))
        if not is_answer(answer):
            self.checks.refuse(f"{at}.then", "ANSWER", "must be one that is known", "必须是已知的值")
        return answer

    def condition(self, at: str, entry: Mapping[str, Any]) -> Condition | None:
        text = str(entry.get("when", "")).strip()
        try:
            return Condition.read(text, FACTS, f"{at}.when") if text else None
        except Invalid as error:
            self.checks.found.extend(error.violations)
            return None

    def clocks(self) -> tuple[ClockRule, ...]:
        return tuple(self._clock(at, entry) for at, entry in self.entries("clocks", _MOST_RULES))

    def _clock(self, at: str, entry: Mapping[str, Any]) -> ClockRule:
        until, hours = str(entry.get("until", "")), str(entry.get("hours", "wall"))
        if until not in UNTIL:
            self.checks.refuse(f"{at}.until", "UNTIL", f"must be one of {UNTIL}", f"必须是 {UNTIL} 之一")
        if hours not in ("wall", "business"):
            self.checks.refuse(f"{at}.hours", "HOURS", "must be wall or business", "必须是 wall 或 business")
        minutes = self.whole(f"{at}.minutes", entry.get("minutes"), 1, _LONGEST_MINUTES)
        return ClockRule(
            name=self.name(at, entry),
            title=str(entry.get("title", ""))[:100],
            when=self.condition(at, entry),
            minutes=minutes,
            hours=hours,
            until=until,
            pausing=bool(entry.get("pausing", False)),
            remind_minutes=self.whole(f"{at}.remind_minutes", entry.get("remind_minutes", 0), 0, minutes),
        )

    def whole(self, at: str, value: Any, least: int, most: int) -> int:
        # JSON and protobuf's Struct know one kind of number.
        number = int(value) if isinstance(value, float) and value.is_integer() else value
        if type(number) is not int or not least <= number <= most:
            self.checks.refuse(
                at,
                "NUMBER",
                f"must be a whole number of {least} to {most}",
                f"必须是 {least} 到 {most} 的整数",
            )
            return least
        return number

    def time(self, at: str, value: Any) -> time:
        return self._parsed(at, value, _time_of_day, time(0))

    def days(self, at: str, values: Sequence[Any]) -> frozenset[date]:
        return frozenset(
            self._parsed(f"{at}[{index}]", value, date.fromisoformat, date.min)
            for index, value in enumerate(values)
        )

    def _parsed(self, at: str, value: Any, parse: Callable[[str], T], instead: T) -> T:
        try:
            return parse(str(value))
        except ValueError:
            self.checks.refuse(at, "FORMAT", "must be HH:MM or YYYY-MM-DD", "必须是 HH:MM 或 YYYY-MM-DD 格式")
            return instead


def _time_of_day(text: str) -> time:
    """Without a zone: it is the business's. Raises ValueError."""
    found = time.fromisoformat(text)
    if found.tzinfo is not None:
        raise ValueError("a time of day has no zone")
    return found


def _is_name(text: str) -> bool:
    return _NAME.fullmatch(text) is not None


def _is_id(text: str) -> bool:
    try:
        return len(text) == 36 and bool(UUID(text))
    except ValueError:
        return False
