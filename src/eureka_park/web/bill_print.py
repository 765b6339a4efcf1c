"""Statements and invoices as pages that bring all they need, and as PDF."""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any, Final

from eureka_park.adapters.browser_print import print_pdf

_ONE_AT_A_TIME: Final = threading.Lock()
_STYLE: Final = (
    "@page{size:A4;margin:18mm}body{font:11pt/1.45 sans-serif;color:#111}h1{font-size:18pt;margin:0 0 4mm}"
    "table{border-collapse:collapse;width:100%;margin:4mm 0}th,td{text-align:left;padding:1.5mm 2mm;"
    "border-bottom:.2mm solid #bbb}td.n,th.n{text-align:right;font-variant-numeric:tabular-nums}"
    ".two{display:flex;justify-content:space-between;gap:10mm;white-space:pre-line}"
)


def pdf_of(html: str) -> bytes:
    """The page as PDF. Raises Unavailable where no browser prints. One is printed at a time."""
    with _ONE_AT_A_TIME, tempfile.TemporaryDirectory(prefix="park-bill-") as folder:
        page, made = Path(folder) / "page.html", Path(folder) / "page.pdf"
        page.write_text(html, encoding="utf-8")
        print_pdf(page, made, "the CSV")
        return made.read_bytes()


def statement_html(told: Mapping[str, Any]) -> str:
    """A statement as a page."""
    whose = told["project"] or told["organisation"]
    kwh = sum(told["kwh_by_source"].values())
    sums = [("Jobs", str(told["n_jobs"])), ("Credits", f"{told['credits']:,.2f}"), ("Energy, kWh", f"{kwh:,.3f}")]
    sums += [(f"GPU-hours, {kind}", f"{hours:,.2f}") for kind, hours in told["gpu_h"].items()]
    sums += [("CPU-hours", f"{told['cpu_h']:,.2f}"), ("CO2, kg", f"{told['gco2'] / 1000:,.3f}")]
    sums += [(f"kWh from {source}", f"{amount:,.3f}") for source, amount in told["kwh_by_source"].items()]
    columns = (("credits", 2), ("gpu_h", 2), ("kwh", 3))
    days = [[row["date"], *(f"{row[name]:,.{digits}f}" for name, digits in columns)] for row in told["days"]]
    body = _table(("", "Sum"), [list(row) for row in sums])
    body += _table(("Day", "Credits", "GPU-hours", "kWh"), days)
    return _page(f"Statement of {whose}, {told['month']}", body)


def invoice_html(told: Mapping[str, Any]) -> str:
    """An invoice or a pro-forma as a page."""
    head = "Invoice" if told["kind"] == "invoice" else "Pro-forma invoice"
    body, unit = told["body"], escape(told["currency"])
    parties = f'<div class="two"><p>{_party(body["seller"])}</p><p>{_party(body["buyer"])}</p></div>'
    dates = f"<p>Issued {escape(told['issued_at'][:10])}. To be paid by {escape(told['due_at'][:10])}.</p>"
    rows = [[f"{row['text']}: {row['credits']:,.2f}", f"{row['net_minor'] / 100:,.2f}"] for row in body["lines"]]
    rows += [["Net", f"{told['net']:,.2f}"], [f"VAT {body['vat_frac']:.0%}", f"{told['vat']:,.2f}"]]
    rows.append(["Total", f"{told['total']:,.2f}"])
    note = f"<p>Name {escape(told['name'])} in the payment's reference.</p>" if told["kind"] == "invoice" else ""
    return _page(f"{head} {told['name']}", parties + dates + _table(("", unit), rows) + note)


def _party(of: Mapping[str, str]) -> str:
    lines = [of.get("name", ""), of.get("address", "")]
    lines += [f"ICE {of['ice']}"] if of.get("ice") else []
    lines += [f"IF {of['tax_id']}"] if of.get("tax_id") else []
    lines += [f"IBAN {of['iban']}"] if of.get("iban") else []
    return "\n".join(escape(line) for line in lines if line)


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    top = "".join(f'<th{_n(index)} scope="col">{escape(head)}</th>' for index, head in enumerate(heads))
    lines = "".join(
        "<tr>" + "".join(f"<td{_n(index)}>{escape(cell)}</td>" for index, cell in enumerate(row)) + "</tr>"
        for row in rows
    )
    return f"<table><thead><tr>{top}</tr></thead><tbody>{lines}</tbody></table>"


def _n(index: int) -> str:
    return ' class="n"' if index else ""


def _page(title: str, body: str) -> str:
    head = f'<meta charset="utf-8"><title>{escape(title)}</title><style>{_STYLE}</style>'
    return f'<!doctype html><html lang="en"><head>{head}</head><body><h1>{escape(title)}</h1>{body}</body></html>'
