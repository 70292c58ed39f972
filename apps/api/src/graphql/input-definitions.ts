/** Arguments and answers of mutations, conditions and orders: the rest of the schema in type-definitions.ts. */
export const inputDefinitions = /* GraphQL */ `
  input search_pipelines_args { search: String }
  input search_models_args { search: String }

  input models_order_by { id: order_by created_at: order_by updated_at: order_by }
  input model_order_by { id: order_by created_at: order_by updated_at: order_by }
  input pipeline_order_by { id: order_by created_at: order_by }
  input pipeline_version_order_by { id: order_by created_at: order_by }
  input deployment_pipeline_version_order_by { pipeline_version: pipeline_version_order_by }
  input tag_order_by { id: order_by }

  input user_default_workspace_bool_exp { user_id: String_comparison_exp }
  input workspace_users_bool_exp {
    _and: [workspace_users_bool_exp!]
    user_id: String_comparison_exp
    workspace_id: bigint_comparison_exp
  }
  input workspace_bool_exp { _and: [workspace_bool_exp!] id: bigint_comparison_exp name: String_comparison_exp }
  input models_bool_exp {
    _and: [models_bool_exp!]
    workspace: workspace_bool_exp
    workspace_id: bigint_comparison_exp
  }
  input model_bool_exp {
    _and: [model_bool_exp!]
    id: bigint_comparison_exp
    model_id: String_comparison_exp
    model_version: String_comparison_exp
    owner_id: String_comparison_exp
    model: models_bool_exp
    created_at: timestamptz_comparison_exp
  }
  input deployment_bool_exp {
    _and: [deployment_bool_exp!]
    id: bigint_comparison_exp
    deploy_id: String_comparison_exp
    deployed: Boolean_comparison_exp
  }
  input pipeline_deployment_bool_exp { deployed: Boolean_comparison_exp }
  input pipeline_bool_exp {
    _and: [pipeline_bool_exp!]
    id: bigint_comparison_exp
    pipeline_id: String_comparison_exp
    workspace_id: bigint_comparison_exp
    workspace: workspace_bool_exp
    deployment: pipeline_deployment_bool_exp
  }
  input pipeline_version_bool_exp {
    _and: [pipeline_version_bool_exp!]
    owner_id: String_comparison_exp
    pipeline: pipeline_bool_exp
    created_at: timestamptz_comparison_exp
    updated_at: timestamptz_comparison_exp
  }
  input model_tag_bool_exp {
    _and: [model_tag_bool_exp!]
    model_id: bigint_comparison_exp
    tag_id: bigint_comparison_exp
  }
  input pipeline_tag_bool_exp {
    _and: [pipeline_tag_bool_exp!]
    pipeline_pk_id: bigint_comparison_exp
    tag_pk_id: bigint_comparison_exp
  }

  input workspace_insert_input {
    name: String
    owner_id: String
    created_by: String
    archived: Boolean
    users: workspace_users_arr_rel_insert_input
    user_default_workspaces: user_default_workspace_arr_rel_insert_input
  }
  input workspace_users_arr_rel_insert_input { data: [workspace_users_insert_input!]! }
  input workspace_users_insert_input { user_id: String user_type: String }
  input user_default_workspace_arr_rel_insert_input { data: [user_default_workspace_insert_input!]! }
  input user_default_workspace_insert_input { user_id: String }
  input workspace_on_conflict { constraint: workspace_constraint! update_columns: [workspace_update_column!]! }
  input tag_insert_input { tag: String }
  input model_tag_insert_input { model_id: bigint tag_id: bigint }
  input pipeline_tag_insert_input { pipeline_pk_id: bigint tag_pk_id: bigint }
  input model_config_insert_input {
    model_id: bigint
    runtime: String
    tensor_fields: jsonb
    filter_threshold: float8
    input_schema: String
    output_schema: String
    batch_config: String
  }
  input pk_columns_input { id: bigint! }
  input visibility_set_input { visibility: String }
  input deployment_set_input { deployed: Boolean }
  input deployment_model_configs_insert_input { deployment_id: bigint model_config_id: bigint }
  input alert_configuration_insert_input {
    name: String
    expression: String
    notifications: jsonb
    pipeline_version_pk_id: bigint
  }
  input assay_set_input { alert_threshold: Float warning_threshold: Float }

  type affected { affected_rows: Int! }
  type tag_mutation_response { returning: [tag!]! }
  type model_tag_mutation_response { returning: [model_tag!]! }
  type pipeline_tag_mutation_response { returning: [pipeline_tag!]! }
  type model_config_mutation_response { returning: [model_config!]! }
  type model_mutation_response { returning: [model!]! }
  type pipeline_mutation_response { returning: [pipeline!]! }
  type deployment_model_configs_mutation_response { returning: [deployment_model_configs!]! }
  type alert_configuration_mutation_response { returning: [alert_configuration!]! }
`;
