import { existsSync } from 'node:fs';
import { resolve } from 'node:path';

export const repositoryFolder = resolve(import.meta.dirname, '../../..');

const assetsFolder = resolve(repositoryFolder, '../shared/assets');

/** Whether the tutorials' models and data lie beside the checkout; tests that use them are skipped otherwise. */
export const hasAssets = existsSync(assetsFolder);

/** Absolute path of a tutorial's model or data file, for example `models/rf_model.onnx`. */
export function assetPath(name: string): string {
  return resolve(assetsFolder, name);
}
