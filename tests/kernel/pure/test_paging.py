"""Page tokens are bound to their query."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernel.pure.errors import Invalid
from kernel.pure.paging import LARGEST_PAGE, PageTokens, page_size

TOKENS = PageTokens([b"k" * 32])
QUERY = ("ListCustomers", "user-1", "filter")


@given(st.lists(st.text(max_size=30), min_size=1, max_size=3))
def test_a_token_gives_back_its_cursor(cursor: list[str]) -> None:
    assert TOKENS.open(QUERY, TOKENS.seal(QUERY, cursor)) == cursor


def test_no_token_asks_for_the_first_page() -> None:
    assert TOKENS.open(QUERY, "") is None


@given(st.integers(0, 10_000), st.integers(1, 255))
def test_a_token_with_any_byte_changed_is_refused(position: int, change: int) -> None:
    token = bytearray(TOKENS.seal(QUERY, ["a"]), "ascii")
    place = position % len(token)
    token[place] = token[place] ^ change
    with pytest.raises(Invalid):
        TOKENS.open(QUERY, token.decode("latin-1"))


@pytest.mark.parametrize("query", [("ListCustomers", "user-2", "filter"), ("ListOrders", "user-1"), ()])
def test_a_token_of_another_query_is_refused(query: tuple[str, ...]) -> None:
    with pytest.raises(Invalid):
        TOKENS.open(query, TOKENS.seal(QUERY, ["a"]))


@pytest.mark.parametrize("token", ["x", "💥", "AAAA", "=" * 5000])
def test_rubbish_is_refused(token: str) -> None:
    with pytest.raises(Invalid):
        TOKENS.open(QUERY, token)


def test_a_page_is_never_larger_than_200() -> None:
    assert [page_size(asked) for asked in (0, 7, 100_000)] == [50, 7, LARGEST_PAGE]


def test_a_negative_page_is_refused() -> None:
    with pytest.raises(Invalid):
        page_size(-1)


def test_a_key_may_be_added_while_some_replicas_do_not_know_it() -> None:
    old, new = b"o" * 32, b"n" * 32
    before, after = PageTokens([old]), PageTokens([old, new])
    assert before.open(QUERY, after.seal(QUERY, ["a"])) == ["a"]
    assert after.open(QUERY, PageTokens([new]).seal(QUERY, ["a"])) == ["a"]
    with pytest.raises(Invalid):
        before.open(QUERY, PageTokens([new]).seal(QUERY, ["a"]))


def test_without_a_key_there_are_no_tokens() -> None:
    with pytest.raises(ValueError):
        PageTokens([])
