import { expect, it } from 'vitest';
import { ensurePythonEnvironment, findPython, PythonMissing, pythonProcessEnvironment } from './python-environment.ts';

it('names the version and where it looked when an interpreter is missing', async () => {
  const missing = ensurePythonEnvironment({ name: 'none', python: '9.99', requirements: [] });
  await expect(missing).rejects.toThrow(PythonMissing);
  await expect(findPython(['9.98', '9.99'])).rejects.toThrow(/Python 9\.98 or 9\.99 .*PATH/);
});

it('keeps foreign packages and slow imports out of our Pythons', () => {
  const before = { ...process.env };
  Object.assign(process.env, { PYTHONPATH: '/elsewhere', PYTHONDONTWRITEBYTECODE: '1' });
  try {
    const environment = pythonProcessEnvironment({ EXTRA: 'yes' });
    expect(environment).toMatchObject({ EXTRA: 'yes', PATH: process.env['PATH'] });
    expect(environment).not.toHaveProperty('PYTHONPATH');
    expect(environment).not.toHaveProperty('PYTHONDONTWRITEBYTECODE');
  } finally {
    process.env = before;
  }
});
