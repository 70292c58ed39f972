/**
 * The schema that both SDK generations validate their documents against: the union of what they ask for, with the looser
 * nullability and the newer scalar names where they differ. A document that is not theirs finds nothing more here.
 * Names are those of the SDKs' documents: `model` is a model version, `models` a model family, `model_id` and
 * `pipeline_id` are names.
 */
export const typeDefinitions = /* GraphQL */ `
  scalar bigint
  scalar bpchar
  scalar float8
  scalar jsonb
  scalar timestamptz
  scalar uuid

  enum order_by { asc desc }
  enum pipeline_version_select_column { id }
  enum deployment_model_configs_select_column { deployment_id }
  enum workspace_constraint { workspace_name_key }
  enum workspace_update_column { name }

  input bigint_comparison_exp { _eq: bigint }
  input String_comparison_exp { _eq: String }
  input Boolean_comparison_exp { _eq: Boolean }
  input timestamptz_comparison_exp { _gte: timestamptz _lte: timestamptz }

  type Query {
    workspace_by_pk(id: bigint!): workspace
    user_default_workspace(where: user_default_workspace_bool_exp): [user_default_workspace!]!
    pipeline(where: pipeline_bool_exp, order_by: [pipeline_order_by!]): [pipeline!]!
    pipeline_by_pk(id: bigint!): pipeline
    pipeline_version_by_pk(id: bigint!): pipeline_version
    "Versions of pipelines by part of the pipeline's name or tags, or by the version's UUID; '' finds all."
    search_pipelines(
      args: search_pipelines_args!
      distinct_on: [pipeline_version_select_column!]
      where: pipeline_version_bool_exp
      order_by: [pipeline_version_order_by!]
    ): [pipeline_version!]!
    deployment(where: deployment_bool_exp): [deployment!]!
    deployment_by_pk(id: bigint!): deployment
    model(where: model_bool_exp, order_by: [model_order_by!]): [model!]!
    model_by_pk(id: bigint!): model
    model_config_by_pk(id: bigint!): model_config
    "Model versions by part of the model's name, file name or tags, or by the version's UUID; '' finds all."
    search_models(args: search_models_args!, where: model_bool_exp, order_by: [model_order_by!]): [model!]!
    tag(order_by: [tag_order_by!]): [tag!]!
    tag_by_pk(id: bigint!): tag
    orchestration_by_pk(id: uuid!): orchestration
  }

  type Mutation {
    insert_workspace_one(object: workspace_insert_input!, on_conflict: workspace_on_conflict): workspace
    delete_workspace_users(where: workspace_users_bool_exp!): affected
    insert_tag(objects: [tag_insert_input!]!): tag_mutation_response
    insert_model_tag(objects: [model_tag_insert_input!]!): model_tag_mutation_response
    delete_model_tag(where: model_tag_bool_exp!): model_tag_mutation_response
    insert_pipeline_tag(objects: [pipeline_tag_insert_input!]!): pipeline_tag_mutation_response
    delete_pipeline_tag(where: pipeline_tag_bool_exp!): pipeline_tag_mutation_response
    insert_model_config(objects: [model_config_insert_input!]!): model_config_mutation_response
    update_model(where: model_bool_exp!, _set: visibility_set_input): model_mutation_response
    update_pipeline(where: pipeline_bool_exp!, _set: visibility_set_input): pipeline_mutation_response
    update_deployment_by_pk(pk_columns: pk_columns_input!, _set: deployment_set_input): deployment
    insert_deployment_model_configs(
      objects: [deployment_model_configs_insert_input!]!
    ): deployment_model_configs_mutation_response
    "Not supported: there are no alerts. It is here because the 2023 SDK validates its documents as a whole."
    insert_alert_configuration(
      objects: [alert_configuration_insert_input!]!
    ): alert_configuration_mutation_response
    "Not supported yet."
    update_assay_by_pk(pk_columns: pk_columns_input!, _set: assay_set_input): assay
  }

  type workspace {
    id: bigint!
    name: String
    archived: Boolean
    created_at: timestamptz
    created_by: String
    owner_id: String
    users: [workspace_users!]!
    models(order_by: [models_order_by!]): [models!]!
    pipelines: [pipeline!]!
  }
  type workspace_users { user_id: String! user_type: String workspace_id: bigint }
  type user_default_workspace { user_id: String! workspace: workspace! }

  type models {
    id: bigint!
    name: String
    owner_id: String
    created_at: timestamptz
    updated_at: timestamptz
    workspace_id: bigint
    workspace: workspace
    models(order_by: [model_order_by!], limit: Int): [model!]!
  }
  type model {
    id: bigint!
    model_id: String
    model_version: String
    models_pk_id: bigint
    sha: bpchar
    status: String
    error_summary: String
    file_name: String
    image_path: String
    owner_id: String
    created_at: timestamptz
    updated_at: timestamptz
    visibility: String
    created_on_version: String
    "What the uploader said of the framework, or the part of it at the path."
    conversion(path: String): jsonb
    model_tags: [model_tag!]!
    model: models
  }
  type model_config {
    id: bigint!
    model_id: bigint
    runtime: String
    tensor_fields: jsonb
    filter_threshold: float8
    input_schema: String
    output_schema: String
    batch_config: String
    dynamic_batching_config: jsonb
    continuous_batching_config: jsonb
    openai: jsonb
    model: model!
  }

  type pipeline {
    id: bigint!
    pipeline_id: String
    created_at: timestamptz
    updated_at: timestamptz
    visibility: String
    owner_id: String
    workspace_id: bigint
    workspace: workspace!
    pipeline_versions(order_by: [pipeline_version_order_by!]): [pipeline_version!]!
    pipeline_tags: [pipeline_tag!]!
    deployment: deployment
  }
  type pipeline_version {
    id: bigint!
    version: uuid
    created_on_version: String
    created_at: timestamptz
    updated_at: timestamptz
    definition(path: String): jsonb
    pipeline_pk_id: bigint
    pipeline: pipeline!
    deployment_pipeline_versions: [deployment_pipeline_version!]!
    "The newest configuration of each model that the definition names."
    deployment_model_configs: [deployment_model_configs!]!
    "Always empty: pipelines are not published to edges."
    pipeline_publishes: [pipeline_publish!]!
  }
  type pipeline_publish {
    id: bigint!
    created_on_version: String
    chart_url: String
    created_at: timestamptz
    created_by: String
    engine_url: String
    engine_config: jsonb
    pipeline_url: String
    pipeline_version_id: bigint
    status: String
    updated_at: timestamptz
    user_images: jsonb
  }

  type deployment {
    id: bigint!
    deploy_id: String
    deployed: Boolean
    engine_config: jsonb
    "Always null: deployments are not limited by a licence."
    limit_status: String
    pipeline: pipeline
    deployment_model_configs: [deployment_model_configs!]!
    deployment_model_configs_aggregate(
      distinct_on: [deployment_model_configs_select_column!]
    ): deployment_model_configs_aggregate!
    deployment_pipeline_versions(order_by: [deployment_pipeline_version_order_by!]): [deployment_pipeline_version!]!
  }
  type deployment_model_configs_aggregate { nodes: [deployment_model_configs!]! }
  type deployment_model_configs { deployment_id: bigint model_config_id: bigint id: bigint model_config: model_config! }
  type deployment_pipeline_version {
    created_at: timestamptz
    updated_at: timestamptz
    deployment: deployment!
    pipeline_version: pipeline_version!
  }

  type tag { id: bigint! tag: String model_tags: [model_tag!]! pipeline_tags: [pipeline_tag!]! }
  type model_tag { id: bigint model_id: bigint tag_id: bigint tag: tag model: model }
  type pipeline_tag { id: bigint pipeline_pk_id: bigint tag_pk_id: bigint tag: tag pipeline: pipeline }

  type orchestration {
    id: uuid!
    name: String
    file_name: String
    owner_id: String
    sha: String
    status: String
    task_id: uuid
    workspace_id: bigint
    created_at: timestamptz
    updated_at: timestamptz
    image_path: String
    created_on_version: String
    file_size: bigint
    created_by: String
  }

  type alert_configuration { id: bigint! }
  type assay { id: bigint! active: Boolean alert_threshold: Float warning_threshold: Float }
`;
