"""Messages leave through Django's mail."""

from __future__ import annotations

import smtplib
from email.headerregistry import Address
from email.utils import parseaddr

import grc
from django.conf import settings
from django.core.mail import EmailMessage


class MailTransport:
    """Takes the messages of the channels that need an e-mail address."""

    def __init__(self, channels: frozenset[str]) -> None:
        self._channels = channels

    def carries(self, channel: str) -> bool:
        return channel in self._channels

    def deliver(self, message: grc.Outgoing) -> grc.Delivery:
        domain = parseaddr(settings.DEFAULT_FROM_EMAIL)[1].rpartition("@")[2] or "localhost"
        headers = {
            # The same for each attempt: a reader's program shows one that was sent twice once.
            "Message-ID": f"<{message.key.replace('/', '.')}@{domain}>",
        }
        if message.automatic:
            # So that answering machines do not answer (RFC 3834).
            headers["Auto-Submitted"] = "auto-generated"
        mail = EmailMessage(
            subject=" ".join((message.subject or message.sender).split()),
            body=message.text,
            to=[str(Address(message.recipient or "", addr_spec=message.to))],
            headers=headers,
        )
        try:
            mail.send()
        except smtplib.SMTPRecipientsRefused:
            return grc.Rejected("recipient-refused")
        except (smtplib.SMTPException, OSError):
            return grc.Later("mail-server", seconds=300)
        return grc.Sent()
