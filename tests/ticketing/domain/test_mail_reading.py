"""A mail is read whatever its writer's program did to it."""

from __future__ import annotations

from email.header import Header
from email.message import EmailMessage
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ticketing.domain.mail_reading import LONGEST_TEXT, UnreadableMail, message_id_of, read_mail
from ticketing.domain.mail_tokens import MailTokens

WORDS = "您好，发票抬头写错了，请问怎么改？"


def raw(head: str, body: bytes = WORDS.encode(), sender: str = "王小明 <xiaoming@example.com>") -> bytes:
    top = f"From: {Header(sender.partition('<')[0], 'utf-8').encode()} <{sender.partition('<')[2]}\r\n"
    return f"{top}{head}\r\n\r\n".encode() + body


@pytest.mark.parametrize("declared", ["utf-8", "gb2312", "gbk", "gb18030", "big5"])
def test_text_is_read_in_the_charset_that_was_declared(declared: str) -> None:
    words = "您好，請問發票" if declared == "big5" else WORDS
    subject = Header("發票" if declared == "big5" else "发票", declared).encode()
    head = f"Subject: {subject}\r\nContent-Type: text/plain; charset={declared}"
    letter = read_mail(raw(head, words.encode(declared)))
    assert letter.text == words
    assert letter.subject in ("发票", "發票")


def test_what_says_gb2312_and_is_gb18030_is_read_all_the_same() -> None:
    words = "镕堃喆的发票"
    letter = read_mail(raw("Content-Type: text/plain; charset=gb2312", words.encode("gb18030")))
    assert letter.text == words


@pytest.mark.parametrize("encoding", ["utf-8", "gb18030"])
def test_bytes_of_no_declared_charset_are_guessed(encoding: str) -> None:
    assert read_mail(raw("Subject: x", WORDS.encode(encoding))).text == WORDS


def test_a_charset_that_nobody_knows_is_guessed() -> None:
    letter = read_mail(raw("Content-Type: text/plain; charset=x-nobody-knows"))
    assert letter.text == WORDS


def test_a_subject_of_bare_bytes_is_read() -> None:
    mail = b"From: a@example.com\r\nSubject: " + "发票".encode() + b"\r\n\r\nhello"
    assert read_mail(mail).subject == "发票"


def test_html_alone_is_read_as_its_reader_sees_it() -> None:
    html = "<html><head><title>t</title><style>p{}</style></head><p>第一行</p><p>第二&amp;行</p></html>"
    letter = read_mail(raw("Content-Type: text/html; charset=utf-8", html.encode()))
    assert letter.text == "第一行\n第二&行"


def test_plain_text_is_preferred_and_attachments_are_counted() -> None:
    mail = EmailMessage()
    mail["From"], mail["Subject"], mail["To"] = "a@example.com", "发票", "support+x@crm.example"
    mail.set_content(WORDS)
    mail.add_alternative("<p>other</p>", subtype="html")
    mail.add_attachment(b"%PDF", maintype="application", subtype="pdf", filename="发票.pdf")
    letter = read_mail(mail.as_bytes())
    assert (letter.text, letter.attachment_count) == (WORDS, 1)
    assert letter.recipients == ("support+x@crm.example",)


def test_answers_go_to_where_the_sender_wants_them() -> None:
    letter = read_mail(raw("Reply-To: other@example.com"))
    assert letter.sender == "other@example.com"


@pytest.mark.parametrize(
    "head",
    [
        "Auto-Submitted: auto-replied",
        "Precedence: bulk",
        "Return-Path: <>",
        "Content-Type: multipart/report; boundary=x",
        "X-Autoreply: yes",
    ],
)
def test_what_a_machine_wrote_is_known(head: str) -> None:
    assert read_mail(raw(f"Subject: x\r\n{head}")).automatic
    assert not read_mail(raw("Auto-Submitted: no")).automatic


@pytest.mark.parametrize(
    ("mail", "reason"),
    [
        (b"Subject: x\r\n\r\nhello", "NO_SENDER"),
        (b"From: undisclosed recipients\r\n\r\nhello", "NO_SENDER"),
        (b"From: a@example.com\r\n\r\n \r\n", "NO_WORDS"),
        (b"", "NO_SENDER"),
    ],
)
def test_what_nobody_could_answer_or_understand_is_unreadable(mail: bytes, reason: str) -> None:
    with pytest.raises(UnreadableMail) as error:
        read_mail(mail)
    assert error.value.reason == reason


@given(
    st.binary(max_size=2000),
    st.sampled_from([b"", b"From: a@example.com\r\n", b"Content-Type: multipart/mixed; boundary=a\r\n"]),
)
def test_any_bytes_are_read_or_unreadable(data: bytes, head: bytes) -> None:
    try:
        letter = read_mail(head + data)
    except UnreadableMail:
        return
    assert letter.sender
    assert len(letter.text) <= LONGEST_TEXT
    assert not {character for character in letter.text if character < " "} - {"\n", "\t"}


def test_a_message_id_is_found_in_folded_headers_only() -> None:
    assert (
        message_id_of(b"Subject: x\r\nMessage-ID:\r\n <one@example.com>\r\n\r\nbody") == "<one@example.com>"
    )
    assert message_id_of(b"Subject: x\r\n\r\nMessage-ID: <two@example.com>") == ""


TOKENS = MailTokens(b"k" * 32, "support@crm.example")
TICKET, MESSAGE = UUID(int=7), UUID(int=9)


def test_an_answer_finds_its_ticket_by_its_address_or_by_what_it_refers_to() -> None:
    address, reference = TOKENS.reply_to(TICKET), TOKENS.message_id(TICKET, MESSAGE)
    assert TOKENS.ticket_of([address], []) == TICKET
    assert TOKENS.ticket_of(["support@crm.example"], ["<other@example.com>", reference]) == TICKET
    assert TOKENS.ticket_of(["support@crm.example"], ["<other@example.com>"]) is None


def test_a_code_that_was_made_by_others_finds_nothing() -> None:
    forged = MailTokens(b"x" * 32, "support@crm.example")
    assert TOKENS.ticket_of([forged.reply_to(TICKET)], [forged.message_id(TICKET, MESSAGE)]) is None
    assert TOKENS.survey_of(TOKENS.reply_to(TICKET).partition("+")[2].partition("@")[0]) is None
    assert TOKENS.survey_of(TOKENS.survey_link(MESSAGE)) == MESSAGE


def test_mail_is_taken_for_the_inbox_alone() -> None:
    taken = ["Support@CRM.example", "support+abc@crm.example"]
    refused = ["support@example.com", "supporter@crm.example", "sales@crm.example", "support", ""]
    assert all(TOKENS.takes(address) for address in taken)
    assert not any(TOKENS.takes(address) for address in refused)


@pytest.mark.parametrize(
    "mail", [raw("Subject: =?utf-8?B?a?="), raw("Content-Type: text/html", b"<p>x<![x y z]>")]
)
def test_what_the_parsers_stumble_over_is_malformed(mail: bytes) -> None:
    with pytest.raises(UnreadableMail) as refused:
        read_mail(mail)
    assert refused.value.reason == "MALFORMED"


@pytest.mark.parametrize(("charset", "body"), [("utf-7", b"+2AA-x"), ("unicode_escape", b"\\ud800x")])
def test_halves_of_characters_do_not_come_in(charset: str, body: bytes) -> None:
    head = f"Subject: =?{charset}?Q?x?=\r\nContent-Type: text/plain; charset={charset}"
    assert read_mail(raw(head, body)).text == "\ufffdx"


def test_an_address_in_an_encoded_name_is_not_the_senders() -> None:
    name = Header("王 <y@example.com>, 小明", "utf-8").encode()
    letter = read_mail(f"From: {name} <xiaoming@example.com>\r\nSubject: x\r\n\r\nx".encode())
    assert letter.sender == "xiaoming@example.com"


PIECES = st.sampled_from(
    [
        b"From: a@b.example\r\n", b"From: =?utf-8?B?a?= <a@b.example>\r\n", b"Subject: ", b"=?utf-8?B?",
        b"=?unicode_escape?Q?", b"?=", b"\\ud800", b"Content-Type: text/html; charset=", b"utf-7", b"idna",
        b"Content-Type: multipart/mixed; boundary=x\r\n", b"--x\r\n", b"--x--", b"base64", b"\r\n",
        b"\r\n\r\n",
        b"Content-Transfer-Encoding: ", b"Content-Disposition: attachment; filename*=utf-8''%ff\r\n",
        b"<![x y z]>", b"<!--", b"<script>", b"&#xd800;", b"+2AA-", b"References: <", b"To: ,;:<>@",
        b"message/rfc822", b"Reply-To: \"", b"\x00", b"\xff\xfe",
    ]
)  # fmt: skip


@given(st.lists(PIECES | st.binary(max_size=20), max_size=25).map(b"".join))
def test_any_bytes_are_a_letter_that_can_be_kept_or_a_mail_that_can_not_be_read(mail: bytes) -> None:
    """What escaped would stand in the way of every mail behind it."""
    try:
        letter = read_mail(mail)
    except UnreadableMail:
        return
    said = (letter.sender, letter.sender_name, letter.subject, letter.text, *letter.recipients)
    assert "\x00" not in "".join((*said, *letter.references, letter.message_id)).encode().decode()
