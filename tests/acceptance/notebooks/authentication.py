"""Log-in by password from a credentials file, wrong passwords, refresh of an aged token."""

import json
import os
import time
from pathlib import Path

import wallaroo
from notebook import expect_error

CACHE = Path(os.environ["XDG_CACHE_HOME"]) / "wallaroo_sdk/auth/keycloak.json"


def cell_wrong_password(n):
    """refuses a wrong password and says so"""
    password = os.environ["WALLAROO_PASSWORD"]
    os.environ["WALLAROO_PASSWORD"] = "wrong"
    expect_error(Exception, "(?i)invalid|40[01]", wallaroo.Client)
    os.environ["WALLAROO_PASSWORD"] = password
    assert not CACHE.exists()


def cell_credentials_file(n):
    """logs in with the credentials file that the product has written"""
    n.user, n.password = os.environ.pop("WALLAROO_USER"), os.environ.pop("WALLAROO_PASSWORD")
    os.environ["WALLAROO_SDK_CREDENTIALS"] = os.environ["CREDENTIALS_FILE"]
    credentials = json.loads(Path(os.environ["CREDENTIALS_FILE"]).read_text(encoding="utf-8"))
    assert sorted(credentials) == ["password", "username"], sorted(credentials)
    assert os.stat(os.environ["CREDENTIALS_FILE"]).st_mode & 0o777 == 0o600
    n.wl = wallaroo.Client()
    assert n.wl.get_current_workspace().id() > 0
    assert n.wl.auth.user_email() == n.user


def cell_bearer(n):
    """gives a Bearer header for plain HTTP callers"""
    header = n.wl.auth.auth_header()["Authorization"]
    assert header.startswith("Bearer ") and header.count(".") == 2, header


def cell_refresh(n):
    """replaces an aged token by its refresh token, without a new log-in"""
    cached = json.loads(CACHE.read_text(encoding="utf-8"))
    old = cached["access_token"]
    cached["expiry"] = time.time() + 2
    CACHE.write_text(json.dumps(cached), encoding="utf-8")
    os.environ.pop("WALLAROO_SDK_CREDENTIALS")
    assert n.wl.list_workspaces() is not None
    renewed = json.loads(CACHE.read_text(encoding="utf-8"))
    assert renewed["access_token"] != old
    assert renewed["expiry"] > time.time() + 60


def cell_refresh_again(n):
    """accepts the first refresh token again, as kernels that share the cache send it"""
    cached = json.loads(CACHE.read_text(encoding="utf-8"))
    for _ in range(2):
        aged = dict(cached, expiry=time.time() + 2)
        CACHE.write_text(json.dumps(aged), encoding="utf-8")
        assert n.wl.list_workspaces() is not None


def cell_foreign_token(n):
    """refuses a token of another server"""
    cached = json.loads(CACHE.read_text(encoding="utf-8"))
    header, payload, signature = cached["access_token"].split(".")
    forged = dict(cached, access_token=f"{header}.{payload}.{signature[::-1]}", expiry=time.time() + 3600)
    CACHE.write_text(json.dumps(forged), encoding="utf-8")
    expect_error(Exception, "(?i)token|401|log in", lambda: n.wl.list_workspaces())
