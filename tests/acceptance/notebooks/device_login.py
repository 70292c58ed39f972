"""Log-in through the browser: the SDK prints an address, somebody approves there, the SDK goes on."""

import os

import wallaroo


def cell_sso(n):
    """waits for the approval in the browser and is logged in as who approved"""
    email = os.environ.pop("WALLAROO_USER")
    os.environ.pop("WALLAROO_PASSWORD")
    n.wl = wallaroo.Client(auth_type="sso")
    assert n.wl.auth.user_email() == email, n.wl.auth.user_email()


def cell_use(n):
    """uses the platform with that log-in"""
    assert n.wl.get_current_workspace().id() > 0
