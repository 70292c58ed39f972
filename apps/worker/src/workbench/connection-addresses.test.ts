import { expect, test } from 'vitest';
import { addressesOf } from './connection-addresses.ts';

const addresses = (type: string, details: unknown): string[] =>
  addressesOf({ name: 'x', type, details } as Parameters<typeof addressesOf>[0]).map(
    ({ host, port }) => `${host} ${port}`,
  );

test.each([
  ['postgres', 5432],
  ['PostgreSQL', 5432],
  ['mysql', 3306],
  ['MariaDB', 3306],
  ['redis', 6379],
  ['mongodb', 27017],
  ['mssql', 1433],
  ['sqlserver', 1433],
  ['snowflake', 443],
  ['s3', 443],
  ['HTTP', 443],
  ['bigquery', 443],
])('a %s connection that names no port has %i', (type, port) => {
  expect(addresses(type, { host: 'db.example' })).toEqual([`db.example ${port}`]);
  expect(addresses(type, { host: 'db.example', port: 99 })).toEqual(['db.example 99']);
});

test.each([
  ['http://web.example/x', 'web.example 80'],
  ['https://web.example', 'web.example 443'],
  ['https://user:secret@web.example:8443/x?y=z', 'web.example 8443'],
  ['postgres://db.example/x', 'db.example 5432'],
  ['postgresql://db.example:6543/x', 'db.example 6543'],
  ['postgresql+psycopg2://ada:secret@db.example/x', 'db.example 5432'],
  ['mysql://db.example', 'db.example 3306'],
  ['redis://db.example', 'db.example 6379'],
  ['mongodb://db.example', 'db.example 27017'],
  ['amqp://db.example', 'db.example 5672'],
  ['ftp://db.example', 'db.example 21'],
  ['HTTPS://WEB.example', 'web.example 443'],
  ['http://10.0.0.5:9050', '10.0.0.5 9050'],
  ['http://[fd00::5]:9050', 'fd00::5 9050'],
])('the URL %s is found under any key, at any depth', (url, address) => {
  expect(addresses('any', { url })).toEqual([address]);
  expect(addresses('any', { a: [{ whatever: url }] })).toEqual([address]);
});

test.each([
  [{ host: 'db.example', port: 5433 }, ['db.example 5433']],
  [{ hostname: 'db.example', port: '5433' }, ['db.example 5433']],
  [{ server: 'db.example:5433' }, ['db.example 5433']],
  [{ host: '10.0.0.5' }, ['10.0.0.5 5432']],
  [{ host: '10.0.0.5:5433' }, ['10.0.0.5 5433']],
  [{ host: 'fd00::5' }, ['fd00::5 5432']],
  [{ host: '[fd00::5]', port: 5433 }, ['fd00::5 5433']],
  [{ host: '[fd00::5]:5433' }, ['fd00::5 5433']],
  [{ primary: { host: 'a.example' }, replicas: [{ host: 'b.example' }] }, ['a.example 5432', 'b.example 5432']],
  [{ host: 'a.example', url: 'https://b.example' }, ['b.example 443', 'a.example 5432']],
])('the host of %j is found', (details, expected) => {
  expect(addresses('postgres', details)).toEqual(expected);
});

test('a BigQuery key leads to the hosts that it names', () => {
  const details = {
    type: 'service_account',
    project_id: 'p',
    token_uri: 'https://oauth2.googleapis.com/token',
    client_email: 'x@p.iam.gserviceaccount.com',
  };
  expect(addresses('BIGQUERY', details)).toEqual(['oauth2.googleapis.com 443']);
});

test.each([
  null,
  undefined,
  'https://web.example',
  17,
  {},
  { host: '' },
  { host: 17 },
  { host: null, port: 5432 },
  { host: 'a b' },
  { host: 'db.example/x' },
  { host: 'db.example', port: 0 },
  { host: 'db.example', port: 65_536 },
  { host: 'db.example', port: 5432.5 },
  { host: 'db.example', port: 'many' },
  { host: 'db.example:many' },
  { host: ':5432' },
  { host: '[]:5432' },
  { url: 'nonsense' },
  { url: 'file:///etc/passwd' },
  { url: 'gopher://web.example' },
  { url: 'http://' },
  { url: 'http://web.example:99999' },
  { url: 'https:web.example' },
  { query: 'SELECT * FROM hosts' },
])('nothing is found in %j', (details) => {
  expect(addresses('postgres', details)).toEqual([]);
});

test('a connection of an unknown type has no port by default', () => {
  expect(addresses('any', { host: 'db.example' })).toEqual([]);
});
