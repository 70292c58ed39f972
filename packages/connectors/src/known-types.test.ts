import { expect, test } from 'vitest';
import { findFault, knownType } from './known-types.ts';

test.each([
  ['BIGQUERY', 'bigquery'],
  ['bigquery', 'bigquery'],
  ['Google BigQuery', 'bigquery'],
  ['POSTGRES', 'postgres'],
  ['PostgreSQL', 'postgres'],
  ['s3', 's3'],
  ['AWS_S3', 's3'],
  ['HTTP', 'http'],
  ['https', 'http'],
  ['SNOWFLAKE', null],
  ['s3-but-not-quite', null],
  ['', null],
])('the type %j is known as %j', (type, known) => expect(knownType(type)).toBe(known));

test.each([
  ['POSTGRES', { host: 'db', port: 5432 }],
  ['POSTGRES', { host: 'db', port: '5432', password: 'x', ['their own']: { deep: [1] } }],
  ['POSTGRES', { url: 'postgresql://u:p@db/x' }],
  ['HTTP', { host: 'https://example.org/data.parquet?raw=true' }],
  ['HTTP', { url: 'http://example.org', headers: { 'x-key': 'k' } }],
  ['BIGQUERY', { type: 'service_account', project_id: 'p', private_key: 'k', client_email: 'a@b' }],
  ['BIGQUERY', {}],
  ['S3', { bucket: 'b', endpoint: null }],
  ['OWN', { port: 'anything', url: 7 }],
])('%s details %j have no fault', (type, details) => expect(findFault(type, details)).toBeNull());

test.each([
  ['POSTGRES', { port: 0 }, 'port must be a port, 1 to 65535'],
  ['POSTGRES', { port: 65_536 }, 'port must be a port, 1 to 65535'],
  ['POSTGRES', { port: '5432x' }, 'port must be a port, 1 to 65535'],
  ['POSTGRES', { url: 'http://db' }, 'url must be a postgresql:// URL'],
  ['POSTGRES', { password: 7 }, 'password must be a text'],
  ['HTTP', { url: 'gopher://example.org' }, 'url must be an http:// or https:// URL'],
  ['HTTP', { url: 'file:///etc/passwd' }, 'url must be an http:// or https:// URL'],
  ['HTTP', { headers: { a: 1 } }, 'headers must be an object of texts'],
  ['BIGQUERY', { api_endpoint: 'emulator:9050' }, 'api_endpoint must be an http:// or https:// URL'],
  ['BIGQUERY', { private_key: ['-----BEGIN'] }, 'private_key must be a text'],
  ['S3', { bucket: '' }, 'bucket must be a text'],
])('%s details %j: %s', (type, details, fault) => {
  expect(findFault(type, details)).toBe(`The details of this ${type} connection are not valid: ${fault}.`);
});
