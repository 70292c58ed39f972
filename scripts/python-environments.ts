import type { PythonEnvironmentSpec } from './python-environment.ts';

/** The official SDKs, unmodified from the package index, on the Python versions that they install on. */
export const sdkEnvironments = {
  '2023': { name: 'sdk-2023', python: '3.9', requirements: ['wallaroo==2023.2.0'] },
  '2026': { name: 'sdk-2026', python: '3.11', requirements: ['wallaroo==2026.1.3'] },
} as const satisfies Record<string, PythonEnvironmentSpec>;

/** The Google clients of the BigQuery tutorial, in the versions of its requirements.txt. */
const bigQueryClients = ['google-cloud-bigquery==3.10.0', 'google-auth==2.17.3', 'db-dtypes==1.1.1'] as const;

/** What a notebook of the BigQuery tutorial runs in: an SDK and the Google clients. */
export const bigQueryNotebooks = {
  '2023': { name: 'bigquery-2023', python: '3.9', requirements: ['wallaroo==2023.2.0', ...bigQueryClients] },
  '2026': { name: 'bigquery-2026', python: '3.11', requirements: ['wallaroo==2026.1.3', ...bigQueryClients] },
} as const satisfies Record<string, PythonEnvironmentSpec>;

/** An emulated BigQuery on DuckDB, whose extensions come as packages: by itself it would download them. */
export const bigQueryEmulator: PythonEnvironmentSpec = {
  name: 'bigquery-emulator',
  python: ['3.11', '3.12', '3.13'],
  requirements: [
    'bqemulator==1.4.0',
    'duckdb==1.5.5',
    'duckdb-extensions==1.5.5',
    'duckdb-extension-avro==1.5.5',
    'duckdb-extension-spatial==1.5.5',
    'numpy==2.4.6',
    'pandas==3.1.1',
    'pyarrow==26.0.1',
  ],
  finish: 'from duckdb_extensions import import_extension as add; add("avro"); add("spatial")',
};

/** A client of the Open Inference Protocol, as Triton's users have it. */
export const tritonClientEnvironment: PythonEnvironmentSpec = {
  name: 'triton-client',
  python: ['3.11', '3.12', '3.13'],
  requirements: ['tritonclient[http]==2.73.0', 'numpy==2.4.6'],
};

/** The bench's peer: FastAPI with its fastest parts. */
export const fastApiEnvironment: PythonEnvironmentSpec = {
  name: 'fastapi',
  python: ['3.11', '3.12', '3.13'],
  requirements: [
    'fastapi==0.165.0',
    'uvicorn[standard]==0.54.0',
    'onnxruntime==1.30.0',
    'orjson==3.13.0',
    'pyarrow==26.0.1',
    'numpy==2.4.6',
  ],
};
