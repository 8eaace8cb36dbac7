"""What tests on PostgreSQL share: a schema of their own in the server that RECONCILER_TEST_POSTGRES names."""

from __future__ import annotations

import os
import uuid

import pytest
from sqlalchemy import create_engine, make_url

SERVER = "RECONCILER_TEST_POSTGRES"


@pytest.fixture
def postgres():
    """Return a URL whose tables nobody else sees; they are dropped at the end."""
    given = os.environ.get(SERVER)
    if not given:
        pytest.skip(f"{SERVER} names no PostgreSQL server (CONTRIBUTING says how to start one)")
    url, name = make_url(given).set(drivername="postgresql+psycopg"), f"test_{uuid.uuid4().hex}"
    engine = create_engine(url)
    try:
        with engine.begin() as connection:
            connection.exec_driver_sql(f"CREATE SCHEMA {name}")
        own = url.set(drivername="postgresql").update_query_dict({"options": f"-csearch_path={name}"})
        yield own.render_as_string(hide_password=False)
        with engine.begin() as connection:
            connection.exec_driver_sql(f"DROP SCHEMA {name} CASCADE")
    finally:
        engine.dispose()


@pytest.fixture(params=["sqlite", "postgresql"])
def state_url(request, tmp_path):
    """Return the URL of a state that does not exist yet, on each database in turn."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/deep/state.db"
    return request.getfixturevalue("postgres")
