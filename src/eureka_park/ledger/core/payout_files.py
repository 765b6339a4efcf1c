"""Files by which a bank pays many people at once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final
from xml.sax.saxutils import escape

from eureka_park.foundation.bank_numbers import check_iban
from eureka_park.foundation.errors import BadInput
from eureka_park.ledger.core.invoicing import csv_of, minor, money

_SPACE: Final = 'xmlns="urn:iso:std:iso:20022:tech:xsd:pain.001.001.03"'


def payout_csv(batch_id: str, amounts_micro: Mapping[str, int], payees: Mapping[str, Mapping[str, str]]) -> str:
    """What a batch pays, for a bank that reads CSV: person, name, IBAN, amount, currency, reference."""
    rows = []
    for person_id, amount in sorted(amounts_micro.items()):
        payee = payees.get(person_id, {})
        row = [person_id, payee.get("name", ""), payee.get("iban", ""), money(minor(amount)), "MAD", batch_id]
        rows.append(row)
    return csv_of(["person", "name", "iban", "amount", "currency", "reference"], rows)


def payout_xml(
    batch_id: str, made_at: str, amounts_micro: Mapping[str, int], payees: Mapping[str, Mapping[str, str]],
    payer: Mapping[str, str],
) -> str:  # fmt: skip
    """What a batch pays as pain.001.001.03. Raises BadInput where an IBAN, also the payer's, is missing or wrong."""
    if not payer.get("iban"):
        raise BadInput(
            "The park has no bank account of its own yet.", fix="Name iban under [money.seller] in accounts.toml.",
            code="no_payer_iban", field="iban",
        )  # fmt: skip
    ibans = {name: check_iban(payees.get(name, {}).get("iban", "")) for name in amounts_micro}
    total = sum(minor(amount) for amount in amounts_micro.values())
    name = escape(payer.get("name", "")[:70])
    counts = f"<NbOfTxs>{len(ibans)}</NbOfTxs><CtrlSum>{money(total)}</CtrlSum>"
    head = (
        f"<GrpHdr><MsgId>{escape(batch_id[:35])}</MsgId><CreDtTm>{escape(made_at[:19])}</CreDtTm>"
        f"{counts}<InitgPty><Nm>{name}</Nm></InitgPty></GrpHdr>"
    )
    debtor = (
        f"<PmtInf><PmtInfId>{escape(batch_id[:35])}</PmtInfId><PmtMtd>TRF</PmtMtd>{counts}"
        f"<ReqdExctnDt>{escape(made_at[:10])}</ReqdExctnDt><Dbtr><Nm>{name}</Nm></Dbtr>"
        f"<DbtrAcct><Id><IBAN>{check_iban(payer['iban'])}</IBAN></Id></DbtrAcct>"
        f"<DbtrAgt><FinInstnId>{_bank(payer.get('bic', ''))}</FinInstnId></DbtrAgt>"
    )
    parts = "".join(_payment(batch_id, who, amounts_micro[who], payees[who], iban) for who, iban in ibans.items())
    body = f"<CstmrCdtTrfInitn>{head}{debtor}{parts}</PmtInf></CstmrCdtTrfInitn>"
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<Document {_SPACE}>{body}</Document>\n'


def _payment(batch_id: str, person_id: str, amount_micro: int, payee: Mapping[str, str], iban: str) -> str:
    return (
        f"<CdtTrfTxInf><PmtId><EndToEndId>{escape(person_id[-35:])}</EndToEndId></PmtId>"
        f'<Amt><InstdAmt Ccy="MAD">{money(minor(amount_micro))}</InstdAmt></Amt>'
        f"<Cdtr><Nm>{escape(payee.get('name', '')[:70])}</Nm></Cdtr>"
        f"<CdtrAcct><Id><IBAN>{iban}</IBAN></Id></CdtrAcct>"
        f"<RmtInf><Ustrd>{escape(batch_id[:140])}</Ustrd></RmtInf></CdtTrfTxInf>"
    )


def _bank(bic: str) -> str:
    return f"<BIC>{escape(bic)}</BIC>" if bic else "<Othr><Id>NOTPROVIDED</Id></Othr>"
