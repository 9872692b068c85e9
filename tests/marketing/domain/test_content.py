"""What a recipient gets is what the author wrote, made personal, with links of our own (M-02, M-24)."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from kernel.pure.errors import Checks
from marketing.domain.content import Content, Links, addresses, check_content, render

LINKS = Links(of=lambda number: f"https://crm/c/{number}", pixel="https://crm/o", unsubscribe="https://crm/u")


def rules(content: Content) -> list[tuple[str, str]]:
    checks = Checks()
    check_content(content, checks)
    return [(one.field.rpartition(".")[2], one.rule) for one in checks.found]


def test_facts_stand_where_they_are_named() -> None:
    done = render(Content("致 {{ full_name }}", "{{full_name}}，您好"), {"full_name": "王小明"}, LINKS)
    assert done.subject == "致 王小明"
    assert done.text.startswith("王小明，您好\n")


def test_a_name_is_no_markup_and_no_header() -> None:
    done = render(Content("致 {{full_name}}", "{{full_name}}"), {"full_name": "<b>A</b>\r\nBcc: x"}, LINKS)
    assert "<b>" not in done.page
    assert done.subject == "致 <b>A</b> Bcc: x"


def test_addresses_end_where_the_sentence_goes_on() -> None:
    body = "看 https://a.example/x?y=1。再看（https://b.example/z），以及 https://a.example/x?y=1."
    assert addresses(Content("s", body)) == ["https://a.example/x?y=1", "https://b.example/z"]


def test_each_address_leads_through_its_own_link() -> None:
    done = render(Content("s", "https://a.example/1 https://b.example/2 https://a.example/1"), {}, LINKS)
    assert done.text.splitlines()[0] == "https://crm/c/0 https://crm/c/1 https://crm/c/0"
    assert done.page.count('href="https://crm/c/0">https://a.example/1<') == 2


def test_every_message_says_how_to_unsubscribe_and_carries_the_pixel() -> None:
    done = render(Content("s", "b"), {}, LINKS)
    assert "https://crm/u" in done.text
    assert "https://crm/u" in done.page
    assert 'src="https://crm/o"' in done.page


def test_what_cannot_be_sent_is_named() -> None:
    assert rules(Content("", "b")) == [("subject", "LENGTH")]
    assert rules(Content("s", "x" * 100_001)) == [("body", "LENGTH")]
    assert rules(Content("s", "{{full_name}} {{email}}")) == [("body", "UNKNOWN_FACT")]
    assert rules(Content("a\tb", "b")) == [("subject", "ONE_LINE")]
    assert rules(Content("s", "a\0b")) == [("body", "CONTROL_CHARACTER")]
    assert rules(Content("s", " ".join(f"https://a.example/{n}" for n in range(51)))) == [
        ("body", "TOO_MANY_LINKS")
    ]


@given(st.text(st.characters(min_codepoint=32), max_size=200), st.text(max_size=30))
def test_no_text_of_an_author_or_name_of_a_person_becomes_markup(body: str, full_name: str) -> None:
    page = render(Content("s", body + " {{full_name}}"), {"full_name": full_name}, LINKS).page
    words = page.partition('<div style="white-space: pre-wrap">')[2].partition("</div>")[0]
    rest = re.sub(r'<a href="https://crm/c/\d+">[^<]*</a>', "", words)
    assert not {"<", ">", '"'} & set(rest)
