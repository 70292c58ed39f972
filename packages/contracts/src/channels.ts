/** PostgreSQL NOTIFY channels. A notification is a hint to look now; every listener also looks on a timer. */
export const channels = {
  /** Desired state of deployments changed: inference hosts reconcile. */
  deployments: 'pademelon_deployments',
  /** Pods became ready or ended: gateways reload their route table. */
  routes: 'pademelon_routes',
  /** Users, memberships or signing keys changed: gateways reload who may do what. */
  access: 'pademelon_access',
  /** There are orchestrations to be packaged: workers look. */
  orchestrations: 'pademelon_orchestrations',
  /** There are runs to be claimed, or runs to be ended: workers look. */
  runs: 'pademelon_runs',
} as const;
