import type { Services } from '../../services.ts';
import type { Api } from '../api.ts';
import { getTopicName } from './get-topic-name.ts';

export function plateauRoutes(app: Api, services: Services): void {
  getTopicName(app, services);
}
