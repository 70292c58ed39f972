import { DomainError } from '../domain-error.ts';

/** The words of the SDKs for what a file was made with. They refuse to read any other. */
export const frameworks = [
  'custom',
  'hugging-face-automatic-speech-recognition',
  'hugging-face-feature-extraction',
  'hugging-face-image-classification',
  'hugging-face-image-segmentation',
  'hugging-face-image-to-text',
  'hugging-face-object-detection',
  'hugging-face-question-answering',
  'hugging-face-sentiment-analysis',
  'hugging-face-stable-diffusion-text-2-img',
  'hugging-face-summarization',
  'hugging-face-text-classification',
  'hugging-face-text-generation',
  'hugging-face-translation',
  'hugging-face-zero-shot-classification',
  'hugging-face-zero-shot-image-classification',
  'hugging-face-zero-shot-object-detection',
  'keras',
  'mlflow',
  'onnx',
  'python',
  'pytorch',
  'sglang',
  'sklearn',
  'tensorflow',
  'vllm',
  'xgboost',
] as const;
export type Framework = (typeof frameworks)[number];

export const architectures = ['x86', 'arm', 'power10'] as const;
export type Architecture = (typeof architectures)[number];

export const pythonVersions = ['3.8', '3.9'] as const;

/** What this platform runs: ONNX models, and Python scripts as steps beside them. */
export const servedFrameworks = ['onnx', 'python'] as const satisfies readonly Framework[];
export type ServedFramework = (typeof servedFrameworks)[number];

/** What the uploader says about a file. */
export interface Conversion {
  readonly framework: ServedFramework;
  readonly requirements: readonly string[];
  readonly pythonVersion: (typeof pythonVersions)[number];
  readonly arch: Architecture;
  readonly accel: 'none';
}

/** What an upload may say of it; what it leaves out is filled in. */
export interface SentConversion {
  readonly framework: Framework;
  readonly requirements?: readonly string[] | undefined;
  readonly pythonVersion?: (typeof pythonVersions)[number] | undefined;
  readonly arch?: Architecture | undefined;
  /** A word, or an object for accelerators with settings. */
  readonly accel?: unknown;
}

/** Throws `unsupported`, naming the framework or the accelerator that this platform does not run. */
export function requireSupportedConversion(sent: SentConversion): Conversion {
  const { framework, requirements = [], pythonVersion = '3.8', arch = 'x86', accel = 'none' } = sent;
  if (!isServed(framework)) throw unsupportedFramework(framework);
  if (accel !== 'none') {
    const name = typeof accel === 'object' ? Object.keys(accel ?? {})[0] : accel;
    throw new DomainError(
      'unsupported',
      `The accelerator ${JSON.stringify(String(name).slice(0, 80))} is not supported: models run on the CPU. Upload the model with accel "none".`,
    );
  }
  return { framework, requirements, pythonVersion, arch, accel };
}

export function unsupportedFramework(framework: string): DomainError {
  return new DomainError(
    'unsupported',
    `Models of the framework ${JSON.stringify(framework.slice(0, 80))} are not supported. Convert the model to ONNX and upload the .onnx file with framework "onnx", or upload a script that computes it with framework "python".`,
  );
}

function isServed(framework: Framework): framework is ServedFramework {
  return servedFrameworks.some((served) => served === framework);
}

/** Whether the file is named like a script, alone or in a zip with what belongs to it. */
export function isScriptName(fileName: string): boolean {
  return /\.(py|zip)$/i.test(fileName);
}

/** Throws `unsupported` for a file whose ending does not go with the framework that was said of it. */
export function requireFittingName(fileName: string, framework: ServedFramework): void {
  if (framework === 'onnx') requireOnnxFileName(fileName);
  else if (!isScriptName(fileName)) {
    throw new DomainError(
      'unsupported',
      `The file name ${JSON.stringify(fileName.slice(0, 80))} does not end in .py or .zip, as a Python step's must.`,
    );
  }
}

/** What a file's ending says that it was made with; null for endings that say nothing certain. */
const frameworkByEnding: Readonly<Record<string, string>> = {
  pkl: 'sklearn',
  joblib: 'sklearn',
  pickle: 'sklearn',
  h5: 'keras',
  hdf5: 'keras',
  keras: 'keras',
  pb: 'tensorflow',
  pt: 'pytorch',
  pth: 'pytorch',
  bst: 'xgboost',
  ubj: 'xgboost',
  zip: 'custom',
};

/** Throws `unsupported` for a file name that does not end in .onnx: the SDKs tell the runtime from the ending. */
function requireOnnxFileName(fileName: string): void {
  const ending = /\.([a-z0-9]+)$/i.exec(fileName)?.[1]?.toLowerCase();
  if (ending === 'onnx') return;
  const framework = ending === undefined ? undefined : frameworkByEnding[ending];
  if (framework !== undefined) throw unsupportedFramework(framework);
  throw new DomainError(
    'unsupported',
    `The file name ${JSON.stringify(fileName.slice(0, 80))} does not end in .onnx, as a model's must; a Python step ends in .py or .zip and has the framework "python".`,
  );
}
