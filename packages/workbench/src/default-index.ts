import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { AllowedAddress } from './egress-policy.ts';

const run = promisify(execFile);

const question = `
from pip._internal.models.index import PyPI
from urllib.parse import urlsplit
print(urlsplit(PyPI.url).hostname)
print(PyPI.file_storage_domain)
`;

/**
 * The hosts of the index that pip, and uv like it, take when nobody says otherwise, as the pip of this interpreter knows
 * them. On the public internet a build needs no permission for them; on a network whose resolver leads these names to a
 * mirror at a private address it does. None where the interpreter has no pip, or one that keeps them elsewhere.
 */
export async function findDefaultIndex(interpreter: string): Promise<AllowedAddress[]> {
  try {
    const { stdout } = await run(interpreter, ['-I', '-c', question], { timeout: 10_000 });
    return stdout
      .trim()
      .split(/\s+/)
      .filter((host) => /^[a-z0-9.-]+$/.test(host))
      .map((host) => ({ host, port: 443 }));
  } catch {
    return [];
  }
}
