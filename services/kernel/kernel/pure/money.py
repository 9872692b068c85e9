"""Money: a decimal amount of one ISO 4217 currency, never a float."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Context, Decimal

# Fraction digits where they are not 2 (ISO 4217).
_DIGITS = {"JPY": 0, "KRW": 0, "VND": 0, "CLP": 0, "ISK": 0, "XAF": 0, "XOF": 0, "BHD": 3, "KWD": 3, "OMR": 3,
           "TND": 3, "JOD": 3}  # fmt: skip
# ASCII digits only: Decimal itself would take those of any script.
_AMOUNT = re.compile(r"-?[0-9]{1,15}(\.[0-9]{1,3})?")
_CURRENCY = re.compile(r"[A-Z]{3}")
# Holds the product of any amount and rate, so that it is rounded once.
_EXACT = Context(prec=60)


@dataclass(frozen=True)
class Money:
    """`amount` has exactly as many fraction digits as the currency."""

    amount: Decimal
    currency: str

    @classmethod
    def parse(cls, amount: str, currency: str) -> Money:
        """Money from the wire. Raises ValueError ("AMOUNT_FORMAT" or "CURRENCY_FORMAT")."""
        if not _CURRENCY.fullmatch(currency):
            raise ValueError("CURRENCY_FORMAT")
        if not _AMOUNT.fullmatch(amount):
            raise ValueError("AMOUNT_FORMAT")
        exact = Decimal(amount)
        money = cls.rounded(exact, currency)
        if money.amount != exact:
            raise ValueError("AMOUNT_FORMAT")
        return money

    @classmethod
    def rounded(cls, amount: Decimal, currency: str) -> Money:
        """Rounds to the currency's fraction digits, half to even."""
        unit = Decimal(1).scaleb(-_DIGITS.get(currency, 2))
        return cls(amount.quantize(unit, ROUND_HALF_EVEN), currency)

    @classmethod
    def zero(cls, currency: str) -> Money:
        return cls.rounded(Decimal(0), currency)

    def __add__(self, other: Money) -> Money:
        return Money(self.amount + self._same(other).amount, self.currency)

    def __sub__(self, other: Money) -> Money:
        return Money(self.amount - self._same(other).amount, self.currency)

    def converted(self, rate: Decimal, currency: str) -> Money:
        """This amount in another currency, at `rate` units of it for one of ours."""
        return Money.rounded(_EXACT.multiply(self.amount, rate), currency)

    def _same(self, other: Money) -> Money:
        if other.currency != self.currency:
            raise ValueError(f"{other.currency} is not {self.currency}")
        return other
