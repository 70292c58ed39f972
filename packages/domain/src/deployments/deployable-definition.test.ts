import { expect, test } from 'vitest';
import { requireModels } from './deployable-definition.ts';
import type { DeployableModel } from './deployment.ts';

const reference = { name: 'post', version: '3f0d9a9e-0a39-4a1c-9a5c-0f4a3c1c2b1d', sha: 'f00d' };
const model = (status: string): DeployableModel => ({ ...reference, versionId: 1, status, configIds: [1] });

test.each(['ready', 'pending_load_native', 'attempting_load_native'])(
  'a model that is %s can be deployed',
  (status) => {
    expect(requireModels([reference], [model(status)])).toEqual([model(status)]);
  },
);

test('a model that could not be packaged is refused by its name', () => {
  expect(() => requireModels([reference], [model('error')])).toThrow(/"post".*could not be packaged/);
});

test.each([{ name: 'other' }, { sha: 'beef' }, { version: '00000000-0000-4000-8000-000000000000' }])(
  'a model that the workspace does not have as %j is refused',
  (change) => {
    expect(() => requireModels([{ ...reference, ...change }], [model('ready')])).toThrow(/has no model/);
  },
);
