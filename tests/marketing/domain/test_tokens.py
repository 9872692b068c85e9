"""Links in messages can't be guessed, forged or used for something else."""

from __future__ import annotations

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketing.domain.errors import LinkNotFound
from marketing.domain.tokens import Tokens, Use

TOKENS = Tokens(b"k" * 32)


@given(st.uuids(), st.integers(0, 255), st.sampled_from(Use))
def test_a_token_leads_back_to_its_message_and_link(message_id: UUID, link: int, use: Use) -> None:
    assert TOKENS.open(use, TOKENS.seal(use, message_id, link)) == (message_id, link)


@given(st.uuids(), st.sampled_from(Use), st.sampled_from(Use))
def test_a_token_for_one_use_is_none_for_another(message_id: UUID, made_for: Use, used_for: Use) -> None:
    token = TOKENS.seal(made_for, message_id)
    if made_for is not used_for:
        with pytest.raises(LinkNotFound):
            TOKENS.open(used_for, token)


@given(st.text(max_size=60))
def test_no_text_is_a_token(text: str) -> None:
    with pytest.raises(LinkNotFound):
        TOKENS.open(Use.UNSUBSCRIBE, text)


def test_another_installation_s_token_leads_nowhere() -> None:
    with pytest.raises(LinkNotFound):
        TOKENS.open(Use.OPEN, Tokens(b"x" * 32).seal(Use.OPEN, UUID(int=1)))
