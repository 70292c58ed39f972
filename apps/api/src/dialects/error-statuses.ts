import { type ErrorWord, sdkGeneration } from '@pademelon/contracts';

export type StatusOverrides = Partial<Record<ErrorWord, number>>;

/**
 * The SDKs' generated clients show the text of an error only with 400, 401 and 500; of every other status they say no
 * more than that the call failed.
 */
export const shownAsBadRequest: StatusOverrides = {
  forbidden: 400,
  not_found: 400,
  conflict: 400,
  unsupported: 400,
  model_rejected: 400,
};

/** On pipelines/deploy the 2023 SDK shows the text with 500 alone; the 2026 SDK with none, so it gets the true one. */
export function deployStatuses(userAgent: string | undefined): StatusOverrides {
  if (sdkGeneration(userAgent) === '2026') return {};
  return { invalid_input: 500, forbidden: 500, not_found: 500, conflict: 500, unsupported: 500, model_rejected: 500 };
}
