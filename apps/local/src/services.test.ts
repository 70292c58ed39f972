import { expect, it } from 'vitest';
import { notebookLines } from './announcement.ts';
import { planServices, type ServicePlan } from './services.ts';

const plan: ServicePlan = {
  home: '/data',
  host: '0.0.0.0',
  port: 8080,
  apiPort: 4000,
  publicUrl: 'https://models.example.org',
  databaseUrl: 'postgresql:///pademelon',
  isAuthOff: false,
  logLevel: 'info',
  environment: {},
};

it('stops in the reverse order of start: runs end before what they use, and the front door before what is behind it', () => {
  expect(planServices(plan).map((service) => service.name)).toEqual(['api', 'inference', 'gateway', 'worker']);
});

it('keeps the API on the loopback address, and tells the others where it is', () => {
  for (const { environment } of planServices(plan)) {
    expect(environment).toMatchObject({
      PADEMELON_API_HOST: '127.0.0.1',
      PADEMELON_API_PORT: '4000',
      PADEMELON_API_URL: 'http://127.0.0.1:4000',
      PUBLIC_URL: 'https://models.example.org',
      HOST: '0.0.0.0',
      PORT: '8080',
      AUTH: 'on',
    });
  }
});

it('passes on settings and surroundings, and nothing that a shell or npm happens to export', () => {
  const environment = {
    PATH: '/bin',
    LC_ALL: 'C',
    https_proxy: 'http://proxy:1',
    PADEMELON_RUN_DEADLINE_MS: '100',
    PADEMELON_HOME: 'relative',
    AWS_SECRET_ACCESS_KEY: 'x',
    NODE_OPTIONS: '--inspect',
    npm_config_registry: 'y',
    DATABASE_URL: 'postgresql://elsewhere/db',
    SSH_AUTH_SOCK: 'z',
  };
  for (const service of planServices({ ...plan, environment })) {
    expect(service.environment).toMatchObject({
      PATH: '/bin',
      LC_ALL: 'C',
      https_proxy: 'http://proxy:1',
      PADEMELON_RUN_DEADLINE_MS: '100',
      PADEMELON_HOME: '/data',
      DATABASE_URL: 'postgresql:///pademelon',
    });
    for (const name of ['AWS_SECRET_ACCESS_KEY', 'NODE_OPTIONS', 'npm_config_registry', 'SSH_AUTH_SOCK']) {
      expect(service.environment).not.toHaveProperty(name);
    }
  }
});

it('gives exactly three lines for a notebook, whatever the path of the data folder holds', () => {
  const lines = notebookLines('http://127.0.0.1:8080', '/home/o"brien/a b\\c/credentials.json');
  expect(lines).toHaveLength(3);
  expect(lines[0]).toContain('"WALLAROO_SDK_CREDENTIALS": "/home/o\\"brien/a b\\\\c/credentials.json"');
  expect(lines.slice(1)).toEqual(['import wallaroo', 'wl = wallaroo.Client()']);
});
