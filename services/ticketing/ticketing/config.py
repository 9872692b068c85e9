"""Settings of the ticketing service beyond the kernel's; the only place that reads the environment."""

from __future__ import annotations

from kernel.ops.settings import Settings


class TicketingSettings(Settings):
    # The address customers write to; "+" codes are added to its local part.
    mail_inbox: str = "support@crm.example"
    # The name customers see beside it.
    mail_sender_name: str = "客户服务"
    # Where `python -m ticketing.mail` listens, "host:port".
    mail_address: str = "127.0.0.1:0"
    # Largest mail taken, in bytes.
    mail_largest: int = 10 * 1024 * 1024
    # For what mails may go out without anybody's consent to marketing.
    mail_purposes: tuple[str, ...] = ("ticket_answer", "satisfaction_survey")
    # The page that surveys are answered on; the survey's code is added.
    survey_url: str = "https://crm.example/survey/"
    # Forms and answers to surveys that one address may send within an hour.
    forms_per_address: int = 20
