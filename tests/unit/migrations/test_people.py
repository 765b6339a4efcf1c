"""From members and a mark for operators to roles: whoever could come in still can, and may do what they could."""

from __future__ import annotations

import hashlib
import os
import shutil
import sqlite3
import time
from pathlib import Path

import pytest
from sqlalchemy import create_engine
from sqlalchemy.exc import IntegrityError
from sqlalchemy.pool import NullPool
from tests.helpers import postgres

from eureka_park import bootstrap
from eureka_park.accounts.core.roles import Act
from eureka_park.accounts.service import AccountsService
from eureka_park.adapters.database import SqlDatabase, parsed
from eureka_park.foundation.clock import SteppedClock
from eureka_park.foundation.errors import Unauthorised
from eureka_park.migrations import migrate, upgrade

GOLDEN = Path(__file__).resolve().parents[2] / "golden" / "homes"
NOW_S, LONG_S = time.time(), 4e9


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def test_people_tokens_and_sessions_of_before_stay_good(tmp_path: Path) -> None:
    folder = tmp_path / "home"
    bootstrap.make_home(folder, now_real_s=1.8e9, is_bare=True)
    shutil.copy(GOLDEN / "home-0.3.0.json", folder / "home.json")
    shutil.copy(GOLDEN / "park-0.3.0.sqlite3", folder / "park.sqlite3")
    with sqlite3.connect(folder / "park.sqlite3") as old:
        old.execute("INSERT INTO people VALUES ('person-mina', 'Mina', 0, 1.0)")
        old.execute("INSERT INTO projects VALUES ('lab', 'Lab', 0, 1.0)")
        old.execute("INSERT INTO members VALUES ('lab', 'person-mina', 2.0)")
        old.execute("INSERT INTO tokens VALUES (?, 'person-mina', 'laptop', 3.0)", (_hash("park_mina"),))
        old.execute("INSERT INTO sessions VALUES (?, 'person-mina', ?, ?)", (_hash("mina's browser"), NOW_S, LONG_S))
        owner_id = old.execute("SELECT person_id FROM people WHERE is_operator").fetchone()[0]
    old.close()
    bootstrap.prepare(folder)
    park = bootstrap.open_park(folder)
    mina = park.accounts.principal_of_token("park_mina")
    assert park.accounts.principal_of_session("mina's browser").person_id == mina.person_id == "person-mina"
    assert mina.projects == {"lab"} and not mina.is_operator and mina.acts is None and mina.is_verified
    assert park.accounts.answer(Act.SUBMIT, mina, "lab").is_allowed
    assert park.accounts.ensure_owner() == (owner_id, None)
    token = park.accounts.tokens.of("person-mina")[0]
    park.accounts.tokens.end(mina, token.token_id)
    with pytest.raises(Unauthorised):
        park.accounts.principal_of_token("park_mina")
    with pytest.raises(IntegrityError), park.db.write() as conn:
        conn.exec_driver_sql("DELETE FROM audit_entries")
    park.close()


def test_the_same_on_postgresql(postgres_server: postgres.Server) -> None:
    with postgres_server.fresh(is_empty=True) as url:
        engine = create_engine(parsed(url), poolclass=NullPool)
        with engine.begin() as conn:
            upgrade(conn, "0004")
            for statement in (
                "INSERT INTO people VALUES ('person-o', 'Owner', true, 1.0), ('person-m', 'Mina', false, 2.0)",
                "INSERT INTO projects VALUES ('lab', 'Lab', false, 1.0)",
                "INSERT INTO members VALUES ('lab', 'person-m', 2.0)",
                f"INSERT INTO tokens VALUES ('{_hash('park_mina')}', 'person-m', 'laptop', 3.0)",
                f"INSERT INTO sessions VALUES ('{_hash('browser')}', 'person-m', 1e9, {LONG_S})",
            ):
                conn.exec_driver_sql(statement)
        engine.dispose()
        migrate(url)
        db = SqlDatabase(url)
        accounts = AccountsService(db, SteppedClock(1e9), os.urandom)
        mina = accounts.principal_of_token("park_mina")
        assert mina.projects == {"lab"} and accounts.principal_of_session("browser").person_id == mina.person_id
        assert accounts.ensure_owner() == ("person-o", None)
        db.close()
