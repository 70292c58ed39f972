"""Tags on models and pipelines, searches, and look-ups by name."""

from datetime import datetime, timezone

import wallaroo
from notebook import deployed, expect_error, new_workspace, only, unique, upload
from wallaroo.object import EntityNotFoundError


def at(n, year):
    """A time as the generation's searches take it."""
    time = datetime(year, 1, 1, tzinfo=timezone.utc)
    return time.isoformat() if n.generation == "2023" else time


def cell_set_up(n):
    """has two models and two pipelines, one deployed"""
    n.wl = wallaroo.Client()
    n.workspace = new_workspace(n.wl, "tags")
    n.first = upload(n.wl, unique("tagged-first"), "rf_model.onnx")
    n.second = upload(n.wl, unique("tagged-second"), "gbr_model.onnx")
    n.running = deployed(n.wl, "tagged-running", n.first)
    n.idle = n.wl.build_pipeline(unique("tagged-idle")).add_model_step(n.second)


def cell_create(n):
    """creates a tag that is listed"""
    n.tag = n.wl.create_tag(unique("tag"))
    assert n.tag.tag() in [tag.tag() for tag in n.wl.list_tags()]


def cell_tag_model(n):
    """puts a tag on a model version and takes it off"""
    n.tag.add_to_model(n.first.id())
    tagged = n.tag.list_models() if n.generation == "2023" else n.tag.list_model_versions()
    assert [model.id() for model in tagged] == [n.first.id()]
    seen = n.wl.model_by_name(n.first.name(), n.first.version())
    assert [tag.tag() for tag in seen.tags()] == [n.tag.tag()]
    n.tag.remove_from_model(n.first.id())
    tagged = n.tag.list_models() if n.generation == "2023" else n.tag.list_model_versions()
    assert list(tagged) == []


def cell_tag_pipeline(n):
    """puts a tag on a pipeline and takes it off"""
    n.tag.add_to_pipeline(n.running.id())
    assert [pipeline.id() for pipeline in n.tag.list_pipelines()] == [n.running.id()]
    seen = n.wl.pipelines_by_name(n.running.name())[0]
    assert [tag.tag() for tag in seen.tags()] == [n.tag.tag()]
    n.tag.remove_from_pipeline(n.running.id())
    assert list(n.tag.list_pipelines()) == []


def cell_search_models(n):
    """finds models by a part of their name, in no other way, newest first"""
    found = [model.id() for model in n.wl.search_models("tagged-")]
    assert n.first.id() in found and n.second.id() in found, found
    assert found.index(n.second.id()) < found.index(n.first.id()), found
    assert [model.id() for model in n.wl.search_models(n.first.name())] == [n.first.id()]
    assert list(n.wl.search_models(unique("nothing"))) == []


def cell_search_models_by_tag(n):
    """finds models by their tag"""
    tag = n.wl.create_tag(unique("findme"))
    tag.add_to_model(n.second.id())
    assert [model.id() for model in n.wl.search_models(tag.tag())] == [n.second.id()]


@only("2023")
def cell_search_my_models(n):
    """finds models of the caller"""
    assert n.first.id() in [model.id() for model in n.wl.search_my_models(n.first.name())]


def cell_search_models_by_time(n):
    """finds models by the time of their upload"""
    found = n.wl.search_models(n.first.name(), uploaded_time_start=at(n, 2020))
    assert [model.id() for model in found] == [n.first.id()]
    assert list(n.wl.search_models(n.first.name(), uploaded_time_start=at(n, 2100))) == []


def cell_search_pipelines(n):
    """finds pipeline versions by a part of the name and by their state"""
    named = n.wl.search_pipelines(n.running.name())
    assert {version.name() for version in named} and len(named) == 2, named
    running = n.wl.search_pipelines("tagged-", deployed=True)
    idle = n.wl.search_pipelines("tagged-", deployed=False)
    names_of = lambda versions: {version.pipeline().name() for version in versions}
    assert n.running.name() in names_of(running) and n.running.name() not in names_of(idle)
    assert n.idle.name() not in names_of(running)


def cell_search_pipelines_by_time(n):
    """finds pipelines by the time of their creation"""
    assert len(n.wl.search_pipelines(n.running.name(), created_start=at(n, 2020))) == 2
    assert len(n.wl.search_pipelines(n.running.name(), created_start=at(n, 2100))) == 0


def cell_names(n):
    """finds a model version and pipelines by name, and says when there is none"""
    assert n.wl.model_by_name(n.first.name(), n.first.version()).id() == n.first.id()
    expect_error(EntityNotFoundError, "(?i)model|not found", lambda: n.wl.model_by_name("nothing", "none"))
    expect_error(EntityNotFoundError, "(?i)pipeline|not found", lambda: n.wl.pipelines_by_name(unique("nothing")))
    expect_error(EntityNotFoundError, "(?i)deploy|not found", lambda: n.wl.deployment_by_name(unique("nothing")))


@only("2026")
def cell_get(n):
    """gets workspaces, models and pipelines by name"""
    name = unique("made-by-get")
    expect_error(Exception, name, lambda: n.wl.get_workspace(name))
    made = n.wl.get_workspace(name, create_if_not_exist=True)
    assert n.wl.get_workspace(name, create_if_not_exist=True).id() == made.id()
    assert n.wl.get_model(n.first.name()).id() == n.first.id()
    assert n.wl.get_model(n.first.name(), version=n.first.version()).id() == n.first.id()
    assert n.wl.get_pipeline(n.running.name()).id() == n.running.id()
    expect_error(Exception, "(?i)not found", lambda: n.wl.get_pipeline(unique("nothing")))
    pipelines = n.wl.list_pipelines(workspace_name=n.workspace.name())
    assert {pipeline.name() for pipeline in pipelines} == {n.running.name(), n.idle.name()}
    models = n.wl.list_models(workspace_id=n.workspace.id())
    assert {model.name() for model in models} == {n.first.name(), n.second.name()}


@only("2026")
def cell_newest_version(n):
    """gives the newest version of a model that was uploaded twice"""
    newer = upload(n.wl, n.first.name(), "xgb_model.onnx")
    assert newer.id() != n.first.id()
    assert n.wl.get_model(n.first.name()).id() == newer.id()
    versions = [m for m in n.wl.list_models() if m.name() == n.first.name()][0].versions()
    assert [version.id() for version in versions] == [newer.id(), n.first.id()]


def cell_undeploy(n):
    """undeploys a pipeline that was never deployed without an error"""
    n.running.undeploy()
    n.idle.undeploy()
    assert "not deployed" in str(n.idle.status()), n.idle.status()
