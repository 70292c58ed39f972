"""Every object and list, displayed as a notebook displays it, and the getters behind."""

import wallaroo
from notebook import assert_html, deployed, new_workspace, only, unique, upload


def cell_set_up(n):
    """has a deployed pipeline to display"""
    n.wl = wallaroo.Client()
    n.workspace = new_workspace(n.wl, "displays")
    n.model = upload(n.wl, unique("shown-model"), "rf_model.onnx")
    n.pipeline = deployed(n.wl, "shown", n.model)


def cell_workspaces(n):
    """displays the workspaces with their users"""
    assert_html(n.wl.list_workspaces(), n.workspace.name())
    users = [user.email() for user in n.workspace.users()]
    assert len(users) == 1 and "@" in users[0], users
    assert n.workspace.name() in repr(n.workspace)


def cell_workspace_contents(n):
    """lists the models and pipelines of a workspace"""
    assert [model.name() for model in n.workspace.models()] == [n.model.name()]
    assert [pipeline.name() for pipeline in n.workspace.pipelines()] == [n.pipeline.name()]


def cell_models(n):
    """displays models and their versions"""
    models = n.wl.list_models()
    assert_html(models, n.model.name())
    versions = models[0].versions()
    assert [version.version() for version in versions] == [n.model.version()]
    assert_html(models[0], n.model.name())


@only("2026")
def cell_one_model(n):
    """displays one version of a model with architecture and workspace"""
    assert_html(n.model, n.model.version(), "x86")
    assert n.model.workspace().name() == n.workspace.name()
    assert n.model.error_summary() in (None, "")


def cell_model_getters(n):
    """gives a model's file, hash, time and configuration"""
    assert n.model.file_name() == "rf_model.onnx"
    assert len(n.model.sha()) == 64
    assert n.model.last_update_time().year >= 2024
    config = n.model.config()
    assert config.runtime() == "onnx", config.runtime()
    assert isinstance(repr(config), str)


def cell_pipelines(n):
    """displays the list of pipelines"""
    pipelines = n.wl.list_pipelines()
    assert_html(pipelines, n.pipeline.name(), n.model.name())


def cell_pipeline(n):
    """displays one pipeline with its steps and its deployment"""
    assert_html(n.pipeline, n.pipeline.name(), n.model.name())
    assert n.pipeline.create_time() <= n.pipeline.last_update_time()
    owner = n.pipeline.owner_id()
    assert isinstance(owner, str), owner
    configuration = n.pipeline.get_pipeline_configuration()
    assert n.model.name() in str(configuration), configuration


def cell_pipeline_versions(n):
    """displays the versions of a pipeline, newest first"""
    versions = n.pipeline.variants() if n.generation == "2023" else n.pipeline.versions()
    ids = [version.id() for version in versions]
    assert len(ids) == 2 and ids == sorted(ids, reverse=True), ids
    if n.generation == "2026":
        assert_html(versions[0], n.pipeline.name())
    assert versions[0].definition()["steps"][0]["ModelInference"]["models"][0]["name"] == n.model.name()
    assert len(versions[0].model_configs()) == 1


def cell_steps(n):
    """displays the steps of a pipeline"""
    for step in n.pipeline.steps():
        assert n.model.name() in step._repr_html_(), step._repr_html_()


def cell_deployments(n):
    """lists deployments and finds one by its name"""
    deployments = n.wl.list_deployments()
    mine = [deployment for deployment in deployments if deployment.name() == n.pipeline.name()]
    assert len(mine) == 1 and mine[0].deployed() is True
    found = n.wl.deployment_by_name(n.pipeline.name())
    assert found.id() == mine[0].id()
    assert found.status()["status"] == "Running"
    assert str(found.id()) in found.url()


def cell_tags(n):
    """displays tags with what they are put on"""
    tag = n.wl.create_tag(unique("shown tag"))
    tag.add_to_model(n.model.id())
    tag.add_to_pipeline(n.pipeline.id())
    assert_html(n.wl.list_tags(), tag.tag(), n.model.name(), n.pipeline.name())
    assert_html(n.wl.list_pipelines(), tag.tag())


def cell_search_results(n):
    """displays what a search finds"""
    assert_html(n.wl.search_models(n.model.name()), n.model.name())
    assert_html(n.wl.search_pipelines(n.pipeline.name()), n.pipeline.name())


@only("2026")
def cell_external_url(n):
    """gives the external address and an OpenAPI document of a pipeline"""
    assert n.pipeline.get_external_url().endswith(f"/{n.pipeline.name()}")
    n.pipeline.generate_api_spec("pipeline.yaml")
    with open("pipeline.yaml", encoding="utf-8") as text:
        assert n.pipeline.name() in text.read()


def cell_clean_up(n):
    """undeploys what it displayed"""
    n.pipeline.undeploy()
    assert_html(n.pipeline, n.pipeline.name())
