import { join } from 'node:path';
import { inject } from 'vitest';
import { runNotebook } from './support/notebook.ts';

runNotebook('users');
runNotebook('authentication', { env: { CREDENTIALS_FILE: join(inject('platform').home, 'credentials.json') } });
