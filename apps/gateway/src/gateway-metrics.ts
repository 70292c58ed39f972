import type { RouteTable } from './route-table.ts';

const kinds = ['inference', 'api', 'own'] as const;
export type RequestKind = (typeof kinds)[number];

/** Counters of this process, shown at /gateway/metrics. No names of deployments: anyone may read them. */
export class GatewayMetrics {
  openConnections = 0;
  tokensVerified = 0;
  /** Moment of the last complete refresh from the database, on the clock of performance.now(). */
  refreshedAtMs = Number.NEGATIVE_INFINITY;
  readonly #answered = new Map<RequestKind, number[]>(kinds.map((kind) => [kind, [0, 0, 0, 0, 0, 0]]));

  countAnswer(kind: RequestKind, status: number): void {
    this.#answered.get(kind)![Math.min(5, Math.floor(status / 100))]!++;
  }

  /** The Prometheus text format. */
  render(routes: RouteTable): string {
    const lines = [
      '# HELP gateway_requests_total Answered requests by kind and class of status; class 0xx broke off unanswered.',
      '# TYPE gateway_requests_total counter',
    ];
    for (const [kind, counts] of this.#answered) {
      counts.forEach((count, hundreds) => {
        lines.push(`gateway_requests_total{kind="${kind}",status="${hundreds}xx"} ${count}`);
      });
    }
    let [deployments, pods, inFlight, queued] = [0, 0, 0, 0];
    for (const route of routes.deployments) {
      deployments++;
      pods += route.pods.length;
      queued += route.queued;
      for (const pod of route.pods) inFlight += pod.inFlight;
    }
    const gauge = (name: string, help: string, value: number): void => {
      lines.push(`# HELP ${name} ${help}`, `# TYPE ${name} gauge`, `${name} ${value}`);
    };
    gauge('gateway_connections', 'Open connections of callers.', this.openConnections);
    gauge('gateway_deployments', 'Deployed pipelines.', deployments);
    gauge('gateway_ready_pods', 'Pods that are sent requests.', pods);
    gauge('gateway_inferences_in_flight', 'Inferences that pods are working on.', inFlight);
    gauge('gateway_inferences_queued', 'Inferences that wait for a pod.', queued);
    const ageSeconds = (performance.now() - this.refreshedAtMs) / 1_000;
    gauge(
      'gateway_routes_age_seconds',
      'Time since routes and memberships were last read.',
      Number(ageSeconds.toFixed(3)),
    );
    lines.push('# HELP gateway_tokens_verified_total Signatures of access tokens checked.');
    lines.push('# TYPE gateway_tokens_verified_total counter', `gateway_tokens_verified_total ${this.tokensVerified}`);
    return `${lines.join('\n')}\n`;
  }
}
