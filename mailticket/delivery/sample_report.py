"""The sample of a report: a desk that does not exist, in a month that went well enough."""

from __future__ import annotations

from mailticket.domain.report_mail import BacklogBar, ReportLine, ReportMail, TargetLine, TargetPart


def sample_report() -> ReportMail:
    """A month by department."""
    return ReportMail(
        title="Service levels",
        by="department",
        first="2026-05-01",
        last="2026-05-31",
        met=371,
        missed=29,
        lines=(
            ReportLine("Support", "148", "140", "6 %", "12", "2"),
            ReportLine("System administration", "52", "49", "2 %", "5", "0"),
            ReportLine("all", "200", "189", "5 %", "17", "2"),
        ),
        targets=(
            TargetPart(
                "first response",
                (
                    TargetLine("Support", "139", "9", "94 %", "1 h 10 min", "3 h 40 min"),
                    TargetLine("System administration", "50", "2", "96 %", "45 min", "2 h 5 min"),
                    TargetLine("all", "189", "11", "94 %", "1 h", "3 h 20 min"),
                ),
            ),
            TargetPart(
                "resolution",
                (
                    TargetLine("Support", "135", "16", "89 %", "6 h 30 min", "15 h 50 min"),
                    TargetLine("System administration", "47", "2", "96 %", "5 h", "12 h"),
                    TargetLine("all", "182", "18", "91 %", "6 h", "15 h"),
                ),
            ),
        ),
        backlog=(
            BacklogBar("2026-05-01", 6),
            BacklogBar("2026-05-11", 22),
            BacklogBar("2026-05-21", 14),
            BacklogBar("2026-05-31", 17),
        ),
    )
