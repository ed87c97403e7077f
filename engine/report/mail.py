"""Mail: what the mail that brings the report says, from the answer that page 1 draws. Knows no mail format."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine.report.values import Mail, Report
from engine.report.workbook import month_name
from engine.workbook.mail import RECIPIENTS, SENDER, addresses


def mail(report: Report, settings: Mapping[str, Any]) -> Mail:
    """The mail with its recipients; a failed check stands first, where nobody can overlook it."""
    to, cc = (addresses(str(settings[name])) for name in RECIPIENTS)
    told = {address.casefold() for address in to}
    failed = "" if report.answer.verdict.passed else "FAILED: "
    return Mail(
        sender=next(iter(addresses(str(settings[SENDER]))), ""),
        to=to,
        cc=tuple(address for address in cc if address.casefold() not in told),
        subject=f"{failed}{report.title}, {month_name(report.month)}: {report.answer.headline}",
        report=report,
    )
