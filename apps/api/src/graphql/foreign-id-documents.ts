import type { Names } from '../routes/foreign-ids-world.ts';

type FieldCase = ((named: Names, own: Names) => string | string[]) | 'names nothing';

/** For every root field of the schema, documents that name things; a field without an entry fails the test. */
export const queryCases: Readonly<Record<string, FieldCase>> = {
  workspace_by_pk: ({ workspaceId }) => `{ workspace_by_pk(id: ${workspaceId}) { id name users { user_id } } }`,
  user_default_workspace: ({ userId }) =>
    `{ user_default_workspace(where: {user_id: {_eq: "${userId}"}}) { workspace { id name } } }`,
  pipeline: ({ pipelineId, pipelineName, workspaceId, workspaceName }) => [
    `{ pipeline(where: {id: {_eq: ${pipelineId}}}) { id pipeline_id } }`,
    `{ pipeline(where: {pipeline_id: {_eq: "${pipelineName}"}}) { id } }`,
    `{ pipeline(where: {workspace_id: {_eq: ${workspaceId}}}) { id } }`,
    `{ pipeline(where: {workspace: {id: {_eq: ${workspaceId}}}}) { id } }`,
    `{ pipeline(where: {workspace: {name: {_eq: "${workspaceName}"}}}) { id } }`,
  ],
  pipeline_by_pk: ({ pipelineId }) =>
    `{ pipeline_by_pk(id: ${pipelineId}) { id pipeline_id deployment { id } pipeline_versions { id definition } } }`,
  pipeline_version_by_pk: ({ pipelineVersionId }) =>
    `{ pipeline_version_by_pk(id: ${pipelineVersionId}) { id definition pipeline { pipeline_id } } }`,
  search_pipelines: ({ pipelineName, pipelineVersion, workspaceId }) => [
    `{ search_pipelines(args: {search: "${pipelineName}"}) { id } }`,
    `{ search_pipelines(args: {search: "${pipelineVersion}"}) { id } }`,
    `{ search_pipelines(args: {}, where: {pipeline: {workspace: {id: {_eq: ${workspaceId}}}}}) { id } }`,
  ],
  deployment: ({ deploymentId, deployId }) => [
    `{ deployment(where: {id: {_eq: ${deploymentId}}}) { id deploy_id } }`,
    `{ deployment(where: {deploy_id: {_eq: "${deployId}"}}) { id } }`,
  ],
  deployment_by_pk: ({ deploymentId }) =>
    `{ deployment_by_pk(id: ${deploymentId}) { id deployment_pipeline_versions { pipeline_version { id } } } }`,
  model: ({ modelName, modelVersion, modelVersionId, workspaceId }) => [
    `{ model(where: {_and: [{model_id: {_eq: "${modelName}"}}, {model_version: {_eq: "${modelVersion}"}}]}) { id } }`,
    `{ model(where: {id: {_eq: ${modelVersionId}}}) { id } }`,
    `{ model(where: {model: {workspace_id: {_eq: ${workspaceId}}}}) { id } }`,
  ],
  model_by_pk: ({ modelVersionId }) => `{ model_by_pk(id: ${modelVersionId}) { id sha model { workspace { name } } } }`,
  model_config_by_pk: ({ modelConfigId }) => `{ model_config_by_pk(id: ${modelConfigId}) { id model { id } } }`,
  search_models: ({ modelName, workspaceName }) => [
    `{ search_models(args: {search: "${modelName}"}) { id } }`,
    `{ search_models(args: {}, where: {model: {workspace: {name: {_eq: "${workspaceName}"}}}}) { id } }`,
  ],
  tag: 'names nothing',
  tag_by_pk: ({ tagId }) => `{ tag_by_pk(id: ${tagId}) { id tag } }`,
  orchestration_by_pk: ({ orchestrationId }) => `{ orchestration_by_pk(id: "${orchestrationId}") { id sha status } }`,
};

export const mutationCases: Readonly<Record<string, FieldCase>> = {
  insert_workspace_one: ({ userId }) =>
    `mutation { insert_workspace_one(object: {name: "for-another", users: {data: {user_id: "${userId}"}}}) { id } }`,
  delete_workspace_users: ({ workspaceId }) =>
    `mutation { delete_workspace_users(where: {user_id: {_eq: "root"}, workspace_id: {_eq: ${workspaceId}}}) { affected_rows } }`,
  insert_tag: 'names nothing',
  insert_model_tag: (named, own) => [
    `mutation { insert_model_tag(objects: {model_id: ${named.modelVersionId}, tag_id: ${own.tagId}}) { returning { tag_id } } }`,
    `mutation { insert_model_tag(objects: {model_id: ${own.modelVersionId}, tag_id: ${named.tagId}}) { returning { tag_id } } }`,
  ],
  delete_model_tag: (named, own) => [
    `mutation { delete_model_tag(where: {model_id: {_eq: ${named.modelVersionId}}, tag_id: {_eq: ${own.tagId}}}) { returning { tag_id } } }`,
    `mutation { delete_model_tag(where: {model_id: {_eq: ${own.modelVersionId}}, tag_id: {_eq: ${named.tagId}}}) { returning { tag_id } } }`,
  ],
  insert_pipeline_tag: (named, own) => [
    `mutation { insert_pipeline_tag(objects: {pipeline_pk_id: ${named.pipelineId}, tag_pk_id: ${own.tagId}}) { returning { tag_pk_id } } }`,
    `mutation { insert_pipeline_tag(objects: {pipeline_pk_id: ${own.pipelineId}, tag_pk_id: ${named.tagId}}) { returning { tag_pk_id } } }`,
  ],
  delete_pipeline_tag: (named, own) => [
    `mutation { delete_pipeline_tag(where: {pipeline_pk_id: {_eq: ${named.pipelineId}}, tag_pk_id: {_eq: ${own.tagId}}}) { returning { tag_pk_id } } }`,
    `mutation { delete_pipeline_tag(where: {pipeline_pk_id: {_eq: ${own.pipelineId}}, tag_pk_id: {_eq: ${named.tagId}}}) { returning { tag_pk_id } } }`,
  ],
  insert_model_config: ({ modelVersionId }) =>
    `mutation { insert_model_config(objects: {model_id: ${modelVersionId}}) { returning { id } } }`,
  update_model: ({ modelVersionId }) =>
    `mutation { update_model(where: {id: {_eq: ${modelVersionId}}}, _set: {visibility: "public"}) { returning { id } } }`,
  update_pipeline: ({ pipelineId }) =>
    `mutation { update_pipeline(where: {id: {_eq: ${pipelineId}}}, _set: {visibility: "public"}) { returning { id } } }`,
  update_deployment_by_pk: ({ deploymentId }) => [
    `mutation { update_deployment_by_pk(pk_columns: {id: ${deploymentId}}, _set: {deployed: true}) { id } }`,
    `mutation { update_deployment_by_pk(pk_columns: {id: ${deploymentId}}, _set: {deployed: false}) { id } }`,
  ],
  insert_deployment_model_configs: (named, own) => [
    `mutation { insert_deployment_model_configs(objects: {deployment_id: ${named.deploymentId}, model_config_id: ${own.modelConfigId}}) { returning { id } } }`,
    `mutation { insert_deployment_model_configs(objects: {deployment_id: ${own.deploymentId}, model_config_id: ${named.modelConfigId}}) { returning { id } } }`,
  ],
  insert_alert_configuration: 'names nothing',
  update_assay_by_pk: 'names nothing',
};
