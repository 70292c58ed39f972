/**
 * The documents that the SDKs send, for tests. Where the generations send
 * different documents under one name, the key says whose it is.
 */
const publishFields = `pipeline_publishes { created_on_version chart_url engine_url engine_config id pipeline_url
  pipeline_version_id status updated_at created_by created_at user_images }`;
const tagFields = `id tag model_tags { model { id model_id models_pk_id model_version } }
  pipeline_tags { pipeline { id pipeline_id pipeline_versions { id version } } }`;
const workspaceFields = 'archived created_at created_by id name users { user_id }';

export const sdkDocuments = {
  UserDefaultWorkspace: `query UserDefaultWorkspace($user_id: String = "") {
    user_default_workspace(where: {user_id: {_eq: $user_id}}) {
      workspace { archived created_at created_by name id users { user_id } pipelines { id } models { models { id } } } } }`,
  'CreateDefaultUserWorkspace 2023': `mutation CreateDefaultUserWorkspace($user_id: String!, $workspace_name: String!,
      $user_type: String) {
    insert_workspace_one(object: {name: $workspace_name, created_by: $user_id, archived: false,
      users: {data: {user_id: $user_id, user_type: $user_type}}, user_default_workspaces: {data: {user_id: $user_id}}},
      on_conflict: {constraint: workspace_name_key, update_columns: []}) { id } }`,
  'CreateDefaultUserWorkspace 2026': `mutation CreateDefaultUserWorkspace($user_id: String!, $workspace_name: String!,
      $user_type: String, $user_email: String) {
    insert_workspace_one(object: {name: $workspace_name, owner_id: $user_id, created_by: $user_email,
      users: {data: {user_id: $user_id, user_type: $user_type}}, archived: false,
      user_default_workspaces: {data: {user_id: $user_id}}},
      on_conflict: {constraint: workspace_name_key, update_columns: []}) { id } }`,
  'WorkspaceById 2023': `query WorkspaceById($id: bigint!) {
    workspace_by_pk(id: $id) { ${workspaceFields} models { id models { id } } pipelines { id } } }`,
  'WorkspaceById 2026': `query WorkspaceById($id: bigint!) { workspace_by_pk(id: $id) { ${workspaceFields}
    models(order_by: {updated_at: desc}) { id models { id } } pipelines { id } } }`,
  DeleteWorkspaceUser: `mutation DeleteWorkspaceUser($user_id: String!, $workspace_id: bigint!) {
    delete_workspace_users(where: {user_id: {_eq: $user_id}, _and: {workspace_id: {_eq: $workspace_id}}}) {
      affected_rows } }`,

  'PipelineById 2023': `query PipelineById($pipeline_id: bigint!) { pipeline_by_pk(id: $pipeline_id) {
    id pipeline_id created_at updated_at visibility owner_id pipeline_versions(order_by: {id: desc}) { id }
    pipeline_tags { tag { id tag } } } }`,
  'PipelineById 2026': `query PipelineById($pipeline_id: bigint!) { pipeline_by_pk(id: $pipeline_id) {
    id pipeline_id created_at updated_at visibility owner_id
    pipeline_versions(order_by: {id: desc}) { id ${publishFields} } pipeline_tags { tag { id tag } }
    workspace { id name } } }`,
  'PipelineVariantById 2023': `query PipelineVariantById($variant_id: bigint!) { pipeline_version_by_pk(id: $variant_id) {
    id created_at updated_at version definition pipeline { id }
    deployment_pipeline_versions { created_at updated_at deployment { id } }
    deployment_model_configs { model_config { id model { id model { id name } } } } } }`,
  'PipelineVariantById 2026': `query PipelineVariantById($variant_id: bigint!) { pipeline_version_by_pk(id: $variant_id) {
    id created_on_version created_at updated_at version definition pipeline { id }
    deployment_pipeline_versions { created_at updated_at deployment { id } }
    deployment_model_configs { model_config { id model { id model { id name } } } } ${publishFields} } }`,
  'PipelineByName 2023': `query PipelineByName($pipeline_name: String!) {
    pipeline(where: {pipeline_id: {_eq: $pipeline_name}}, order_by: {created_at: desc}) { id } }`,
  'PipelineByName 2026': `query PipelineByName($pipeline_name: String!, $workspace_id: bigint!, $workspace_name: String!) {
    pipeline(where: {pipeline_id: {_eq: $pipeline_name}, workspace_id: {_eq: $workspace_id},
      workspace: {name: {_eq: $workspace_name}}}, order_by: {created_at: desc}) { id workspace { id name } } }`,
  ListPipelines: 'query ListPipelines { pipeline(order_by: {id: desc}) { id pipeline_tags { tag { id tag } } } }',
  PipelineModels: `query PipelineModels($pipeline_id: bigint!) { pipeline_by_pk(id: $pipeline_id) { id deployment {
    deployment_model_configs_aggregate(distinct_on: deployment_id) {
      nodes { model_config { model { model { name } } } } } } } }`,
  'GetPipelines 2023': `query GetPipelines($search_term: String!, $deployed: Boolean, $start_created_at: timestamptz!,
      $end_created_at: timestamptz!, $start_updated_at: timestamptz!, $end_updated_at: timestamptz!) {
    search_pipelines(args: {search: $search_term}, distinct_on: id, where: {_and: {
      pipeline: {deployment: {deployed: {_eq: $deployed}}}, created_at: {_gte: $start_created_at, _lte: $end_created_at},
      updated_at: {_gte: $start_updated_at, _lte: $end_updated_at}}}, order_by: {id: desc}) {
      id created_at pipeline_pk_id updated_at version
      pipeline { id pipeline_id pipeline_tags { id tag { id tag } } } } }`,
  'GetPipelines 2026': `query GetPipelines($search_term: String!, $workspace_id: bigint!, $deployed: Boolean!) {
    search_pipelines(args: {search: $search_term}, distinct_on: id, where: {_and: [
      {pipeline: {workspace: {id: {_eq: $workspace_id}}}}, {pipeline: {deployment: {deployed: {_eq: $deployed}}}}]},
      order_by: {id: desc}) { id created_at pipeline_pk_id updated_at version
      pipeline { id pipeline_id pipeline_tags { id tag { id tag } } workspace { id name } } } }`,
  UpdatePipelineVisibility: `mutation UpdatePipelineVisibility($pipeline_id: bigint!, $visibility: String) {
    update_pipeline(where: {id: {_eq: $pipeline_id}}, _set: {visibility: $visibility}) { returning {
      id pipeline_id created_at updated_at visibility owner_id pipeline_versions(order_by: {id: desc}) { id } } } }`,
  CreateAlertConfiguration: `mutation CreateAlertConfiguration($pipeline_version_id: bigint, $name: String,
      $expression: String, $notifications: jsonb) {
    insert_alert_configuration(objects: {name: $name, expression: $expression, notifications: $notifications,
      pipeline_version_pk_id: $pipeline_version_id}) { returning { id } } }`,

  GetDeploymentForPipeline: `query GetDeploymentForPipeline($pipeline_id: bigint!) {
    pipeline_by_pk(id: $pipeline_id) { deployment { id deploy_id deployed engine_config } } }`,
  DeploymentById: `query DeploymentById($deployment_id: bigint!) { deployment_by_pk(id: $deployment_id) {
    id deploy_id deployed deployment_model_configs { model_config { id } }
    deployment_pipeline_versions(order_by: {pipeline_version: {id: desc}}) { pipeline_version { id } }
    pipeline { pipeline_id } engine_config } }`,
  QueryLimitStatus: `query QueryLimitStatus($id: bigint!) {
    deployment(where: {id: {_eq: $id}}) { id deployed limit_status } }`,
  ListDeployments: `query ListDeployments {
    deployment { id deploy_id deployed deployment_model_configs { model_config { id } } } }`,
  DeploymentByName: `query DeploymentByName($deployment_name: String!) {
    deployment(where: {deploy_id: {_eq: $deployment_name}}) { id } }`,
  Deploy: `mutation Deploy($id: bigint!) {
    update_deployment_by_pk(pk_columns: {id: $id}, _set: {deployed: true}) { id deploy_id deployed } }`,
  ReplaceModel: `mutation ReplaceModel($deployment_id: bigint!, $model_config_id: bigint!) {
    insert_deployment_model_configs(objects: {deployment_id: $deployment_id, model_config_id: $model_config_id}) {
      returning { id deployment_id model_config_id } } }`,

  'ModelById 2023': `query ModelById { model_by_pk(id: 1) { id model_id model_version models_pk_id sha status file_name
    image_path updated_at visibility model_tags { tag { id tag } } } }`,
  'ModelById 2026': `query ModelById { model_by_pk(id: 1) { id created_on_version model_id model_version models_pk_id sha
    status error_summary file_name image_path updated_at visibility model_tags { tag { id tag } }
    arch: conversion(path: "arch") accel: conversion(path: "accel") model { workspace { id name } } } }`,
  'ModelByName 2023': `query ModelByName($model_id: String!, $model_version: String!) {
    model(where: {_and: [{model_id: {_eq: $model_id}}, {model_version: {_eq: $model_version}}]}) {
      id model_id model_version } }`,
  'ModelByName 2026': `query ModelByName($model_id: String!, $model_version: String!, $workspace_id: bigint!,
      $workspace_name: String!) {
    model(where: {_and: [{model_id: {_eq: $model_id}}, {model_version: {_eq: $model_version}},
      {model: {_and: [{workspace: {id: {_eq: $workspace_id}}}, {workspace: {name: {_eq: $workspace_name}}}]}}]}) {
      id model_id model_version } }`,
  'ModelConfigById 2023': `query ModelConfigById($model_config_id: bigint!) {
    model_config_by_pk(id: $model_config_id) { id filter_threshold model { id } runtime tensor_fields } }`,
  'ModelConfigById 2026': `query ModelConfigById($model_config_id: bigint!) { model_config_by_pk(id: $model_config_id) {
    id filter_threshold model { id } runtime tensor_fields dynamic_batching_config continuous_batching_config openai
    input_schema output_schema } }`,
  ConfigureModel: `mutation ConfigureModel($model_id: bigint!, $runtime: String, $tensor_fields: jsonb,
      $filter_threshold: float8, $input_schema: String, $output_schema: String, $batch_config: String) {
    insert_model_config(objects: {model_id: $model_id, runtime: $runtime, tensor_fields: $tensor_fields,
      filter_threshold: $filter_threshold, input_schema: $input_schema, output_schema: $output_schema,
      batch_config: $batch_config}) { returning { id model_id runtime tensor_fields filter_threshold input_schema
      output_schema batch_config model { id } } } }`,
  'GetModels 2023': `query GetModels($search_term: String!, $user_id: String!, $start_created_at: timestamptz!,
      $end_created_at: timestamptz!) {
    search_models(args: {search: $search_term}, where: {_and: {owner_id: {_eq: $user_id},
      created_at: {_gte: $start_created_at, _lte: $end_created_at}}}, order_by: {created_at: desc}) { id } }`,
  'GetModels 2026': `query GetModels($search_term: String!, $workspace_id: bigint!, $workspace_name: String!) {
    search_models(args: {search: $search_term}, where: {model: {workspace: {id: {_eq: $workspace_id},
      name: {_eq: $workspace_name}}}}, order_by: {created_at: desc}) { id } }`,
  UpdateModelVisibility: `mutation UpdateModelVisibility($model_pk: bigint!, $visibility: String) {
    update_model(where: {id: {_eq: $model_pk}}, _set: {visibility: $visibility}) {
      returning { id model_id model_version file_name visibility updated_at } } }`,

  CreateTag: `mutation CreateTag($tag_text: String!) {
    insert_tag(objects: {tag: $tag_text}) { returning { id tag } } }`,
  ListTags: `query ListTags { tag(order_by: {id: desc}) { ${tagFields} } }`,
  TagById: `query TagById { tag_by_pk(id: 1) { ${tagFields} } }`,
  ModelsByTagId: `query ModelsByTagId($tag_id: bigint!) { tag_by_pk(id: $tag_id) { model_tags { model {
    id model_id model_version sha file_name updated_at visibility } } } }`,
  PipelinesByTagId: `query PipelinesByTagId($tag_id: bigint!) { tag_by_pk(id: $tag_id) { pipeline_tags { pipeline {
    id pipeline_id created_at updated_at owner_id } } } }`,
  AddTagToModel: `mutation AddTagToModel($model_id: bigint!, $tag_id: bigint!) {
    insert_model_tag(objects: {model_id: $model_id, tag_id: $tag_id}) { returning { model_id tag_id } } }`,
  RemoveTagFromModel: `mutation RemoveTagFromModel($model_id: bigint!, $tag_id: bigint!) {
    delete_model_tag(where: {_and: [{model_id: {_eq: $model_id}}, {tag_id: {_eq: $tag_id}}]}) {
      returning { model_id tag_id } } }`,
  AddTagToPipeline: `mutation AddTagToPipeline($pipeline_id: bigint!, $tag_id: bigint!) {
    insert_pipeline_tag(objects: {pipeline_pk_id: $pipeline_id, tag_pk_id: $tag_id}) {
      returning { pipeline_pk_id tag_pk_id } } }`,
  RemoveTagFromPipeline: `mutation RemoveTagFromPipeline($pipeline_id: bigint!, $tag_id: bigint!) {
    delete_pipeline_tag(where: {_and: [{pipeline_pk_id: {_eq: $pipeline_id}}, {tag_pk_id: {_eq: $tag_id}}]}) {
      returning { pipeline_pk_id tag_pk_id } } }`,

  GetOrchestration: `query GetOrchestration($id: uuid!) { orchestration_by_pk(id: $id) { id name file_name owner_id sha
    status task_id workspace_id created_at updated_at image_path created_on_version file_size created_by } }`,
  'SetActive alert': `mutation SetActive($id: bigint!, $alert_threshold: Float!) {
    update_assay_by_pk(pk_columns: {id: $id}, _set: {alert_threshold: $alert_threshold}) { id active } }`,
  'SetActive warning': `mutation SetActive($id: bigint!, $warning_threshold: Float!) {
    update_assay_by_pk(pk_columns: {id: $id}, _set: {warning_threshold: $warning_threshold}) { id active } }`,
} as const;
