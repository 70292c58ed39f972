import { expect, test } from 'vitest';
import { parseAllowedAddresses } from './egress-policy.ts';
import { readPythonIndex } from './python-index.ts';

/** Without the configuration files of this machine. */
const nobody = { PIP_CONFIG_FILE: '/dev/null' };
const standard = { host: 'index.example', port: 443 };
const files = { host: 'files.example', port: 8443 };
const addresses = { ofDefaultIndex: [standard], ofOperator: [files] };

test('a build may reach the hosts of the standard index where no other is configured, and what the operator names', () => {
  expect(readPythonIndex(nobody, addresses).allowed).toEqual([standard, files]);
});

test('a configured index, its extras and its links take the place of the standard index', () => {
  const { allowed, environment } = readPythonIndex(
    {
      ...nobody,
      PIP_INDEX_URL: 'http://mirror.example/simple',
      PIP_EXTRA_INDEX_URL: 'https://extra.example:8443/simple',
      PIP_FIND_LINKS: 'http://10.0.0.1:81/ /nonexistent/wheels',
    },
    addresses,
  );
  expect(allowed).toEqual([
    { host: 'mirror.example', port: 80 },
    { host: 'extra.example', port: 8443 },
    { host: '10.0.0.1', port: 81 },
    files,
  ]);
  expect(environment).toMatchObject({
    UV_DEFAULT_INDEX: 'http://mirror.example/simple',
    UV_INDEX: 'https://extra.example:8443/simple',
    UV_FIND_LINKS: 'http://10.0.0.1:81/,/nonexistent/wheels',
  });
});

test('uv wins over pip, by its present names over its old ones, and names and log-ins come along', () => {
  const old = {
    UV_INDEX_URL: 'https://u:p@old.example/simple',
    UV_EXTRA_INDEX_URL: 'https://extra-old.example/simple',
  };
  expect(readPythonIndex({ ...nobody, ...old }, addresses)).toMatchObject({
    environment: { UV_DEFAULT_INDEX: old.UV_INDEX_URL, UV_INDEX: old.UV_EXTRA_INDEX_URL },
    allowed: [{ host: 'old.example', port: 443 }, { host: 'extra-old.example', port: 443 }, files],
  });
  const present = {
    UV_DEFAULT_INDEX: 'https://new.example/simple',
    UV_INDEX: 'internal=http://10.0.0.2:8080/simple',
    UV_INDEX_INTERNAL_USERNAME: 'u',
    UV_INDEX_INTERNAL_PASSWORD: 'p',
  };
  const pip = { PIP_INDEX_URL: 'https://pip.example/simple', PIP_EXTRA_INDEX_URL: 'https://extra-pip.example/simple' };
  expect(readPythonIndex({ ...nobody, ...pip, ...old, ...present }, addresses)).toMatchObject({
    environment: present,
    allowed: [{ host: 'new.example', port: 443 }, { host: '10.0.0.2', port: 8080 }, files],
  });
});

test('addresses are read, and what is none is named with its setting', () => {
  expect(parseAllowedAddresses('X', ' a.example:1 ,, [::1]:65535')).toEqual([
    { host: 'a.example', port: 1 },
    { host: '::1', port: 65_535 },
  ]);
  for (const text of ['a.example', 'a:0', 'a:65536', 'http://a:1', 'a b:1']) {
    expect(() => parseAllowedAddresses('THE_SETTING', text)).toThrow(/^THE_SETTING takes host:port/);
  }
});
