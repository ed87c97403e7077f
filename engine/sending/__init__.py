"""Sending: a run's report.eml over SMTP, to nobody twice unless asked. Knows mail servers and run.json, no figure."""

from __future__ import annotations


class SendingError(Exception):
    """Why nothing was sent, in one sentence."""


class FailedCheckError(SendingError):
    """Nothing was sent, because the run's master check failed."""
