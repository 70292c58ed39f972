"""Users: list, look up, invite, share a workspace, deactivate."""

import os

import wallaroo
from notebook import deployed, expect_error, new_workspace, unique, upload
from wallaroo.object import UserLimitError


def log_in_as(email, password):
    """A client of another user; the token cache is not keyed by user, so it is dropped first."""
    wallaroo.auth.logout()
    os.environ["WALLAROO_USER"], os.environ["WALLAROO_PASSWORD"] = email, password
    return wallaroo.Client()


def cell_list(n):
    """lists the users and finds the own one by e-mail"""
    n.email, n.password = os.environ["WALLAROO_USER"], os.environ["WALLAROO_PASSWORD"]
    n.wl = wallaroo.Client()
    users = [user["email"] if isinstance(user, dict) else user.email() for user in n.wl.list_users()]
    assert n.email in users, users
    assert n.wl.get_user_by_email(n.email).email() == n.email
    assert n.wl.get_user_by_email("nobody@example.org") is None


def cell_invite(n):
    """invites a user, who exists once however often he is invited"""
    n.guest = f"{unique('guest')}@example.org"
    n.guest_password = "correct horse battery staple"
    n.wl.invite_user(n.guest, n.guest_password)
    n.wl.invite_user(n.guest, n.guest_password)
    users = [user["email"] if isinstance(user, dict) else user.email() for user in n.wl.list_users()]
    assert users.count(n.guest) == 1, users


def cell_share(n):
    """shares a workspace with him"""
    n.private = new_workspace(n.wl, "private")
    n.shared = new_workspace(n.wl, "shared")
    # Read now: the objects ask with the token of whoever is logged in.
    n.private_name, n.shared_name = n.private.name(), n.shared.name()
    n.model = upload(n.wl, unique("shared-model"), "rf_model.onnx")
    n.pipeline = deployed(n.wl, "shared", n.model)
    n.shared.add_user(n.guest)
    emails = sorted(user.email() for user in n.shared.users())
    assert emails == sorted([n.email, n.guest]), emails


def cell_guest_sees(n):
    """shows him the shared workspace with its pipeline and hides the private one"""
    n.guest_wl = log_in_as(n.guest, n.guest_password)
    names = [workspace.name() for workspace in n.guest_wl.list_workspaces()]
    assert n.shared_name in names and n.private_name not in names, names
    found = n.guest_wl.pipelines_by_name(n.pipeline.name())[0]
    answer = found.infer_from_file(os.path.join(os.environ["ASSETS"], "data/xtest-1.df.json"))
    assert len(answer) == 1


def cell_guest_limits(n):
    """does not let him invite users"""
    expect_error(UserLimitError, "", lambda: n.guest_wl.invite_user(f"{unique('other')}@example.org", "pass word 1234"))


def cell_remove(n):
    """removes him from the workspace, which he no longer sees then"""
    n.wl = log_in_as(n.email, n.password)
    shared = [workspace for workspace in n.wl.list_workspaces() if workspace.id() == n.shared.id()][0]
    shared.remove_user(n.guest)
    assert [user.email() for user in shared.users()] == [n.email]
    guest = log_in_as(n.guest, n.guest_password)
    assert n.shared_name not in [workspace.name() for workspace in guest.list_workspaces()]
    assert n.pipeline.id() not in [pipeline.id() for pipeline in guest.list_pipelines()]


def cell_deactivate(n):
    """refuses a deactivated user and takes him back when he is activated"""
    n.wl = log_in_as(n.email, n.password)
    n.wl.deactivate_user(n.guest)
    assert n.wl.get_user_by_email(n.guest).enabled() is False
    expect_error(Exception, "(?i)40[01]|disabled|invalid", lambda: log_in_as(n.guest, n.guest_password))
    n.wl = log_in_as(n.email, n.password)
    n.wl.activate_user(n.guest)
    assert log_in_as(n.guest, n.guest_password).list_workspaces() is not None


def cell_clean_up(n):
    """undeploys what it shared"""
    n.wl = log_in_as(n.email, n.password)
    n.wl.pipelines_by_name(n.pipeline.name())[0].undeploy()
