import type { Services } from '../../services.ts';
import type { Api } from '../api.ts';
import { describeTopic } from './describe-topic.ts';
import { readRecords } from './read-records.ts';

export function logRoutes(app: Api, services: Services): void {
  describeTopic(app, services);
  readRecords(app, services);
}
