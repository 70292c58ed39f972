import type { JsonObject } from '@pademelon/domain';

/** The types of connections that are understood; every other text is a type, too, but one that nobody can test. */
export type KnownType = 'bigquery' | 'postgres' | 's3' | 'http';

const patterns: readonly (readonly [RegExp, KnownType])[] = [
  [/^(google[ _-]?)?(cloud[ _-]?)?big[ _-]?query$/i, 'bigquery'],
  [/^postgres(ql)?$/i, 'postgres'],
  [/^(aws[ _-]?)?s3$/i, 's3'],
  [/^https?$/i, 'http'],
];

export function knownType(type: string): KnownType | null {
  return patterns.find(([pattern]) => pattern.test(type.trim()))?.[1] ?? null;
}

type Check = (value: unknown) => string | null;

const text: Check = (value) => (typeof value === 'string' && value !== '' ? null : 'must be a text');
const port: Check = (value) => {
  const number = typeof value === 'string' && /^\d{1,5}$/.test(value) ? Number(value) : value;
  return Number.isInteger(number) && (number as number) >= 1 && (number as number) <= 65_535
    ? null
    : 'must be a port, 1 to 65535';
};
const webUrl: Check = (value) => (isUrl(value, ['http:', 'https:']) ? null : 'must be an http:// or https:// URL');
const postgresUrl: Check = (value) =>
  isUrl(value, ['postgres:', 'postgresql:']) ? null : 'must be a postgresql:// URL';
const texts: Check = (value) =>
  typeof value === 'object' && value !== null && Object.values(value).every((one) => typeof one === 'string')
    ? null
    : 'must be an object of texts';

/** What each known key must look like where it is given. Keys that are not here are the user's own. */
const checks: Record<KnownType, Readonly<Record<string, Check>>> = {
  bigquery: {
    project_id: text,
    client_email: text,
    private_key: text,
    api_endpoint: webUrl,
    token_uri: webUrl,
  },
  postgres: {
    url: postgresUrl,
    uri: postgresUrl,
    host: text,
    port,
    user: text,
    username: text,
    password: text,
    database: text,
    dbname: text,
    sslmode: text,
  },
  s3: {
    bucket: text,
    region: text,
    endpoint: webUrl,
    endpoint_url: webUrl,
    access_key_id: text,
    aws_access_key_id: text,
    secret_access_key: text,
    aws_secret_access_key: text,
    session_token: text,
    aws_session_token: text,
  },
  http: { url: webUrl, host: text, port, headers: texts },
};

/**
 * The first thing that is wrong with the details of a known type, naming the key and never its value; null when nothing
 * is. A key that is missing is no fault here: only a test needs them all.
 */
export function findFault(type: string, details: JsonObject | null): string | null {
  const known = knownType(type);
  if (known === null || details === null) return null;
  for (const [key, check] of Object.entries(checks[known])) {
    const value = Object.hasOwn(details, key) ? details[key] : null;
    const fault = value === null || value === undefined ? null : check(value);
    if (fault !== null) return `The details of this ${type} connection are not valid: ${key} ${fault}.`;
  }
  return null;
}

function isUrl(value: unknown, protocols: readonly string[]): boolean {
  return typeof value === 'string' && URL.canParse(value) && protocols.includes(new URL(value).protocol);
}
