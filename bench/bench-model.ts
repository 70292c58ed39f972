import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { forestModel } from '@pademelon/testing/onnx';

const tutorialModel = resolve(import.meta.dirname, '../../shared/assets/models/rf_model.onnx');
const tutorialRows = resolve(import.meta.dirname, '../../shared/assets/data/xtest-1k.df.json');
const cacheFolder = resolve(import.meta.dirname, '../.cache/bench');

export interface BenchModel {
  readonly path: string;
  readonly description: string;
  /** A thousand rows of features: how fast a forest is depends on how its rows differ. */
  readonly rows: readonly (readonly number[])[];
}

/** Inputs a row, the same for both models. */
export const featureCount = 18;

/** The tutorials' house-price forest and houses when they lie beside the checkout, else generated ones of the same shape. */
export async function provideBenchModel(): Promise<BenchModel> {
  if (existsSync(tutorialModel) && existsSync(tutorialRows)) {
    const records = JSON.parse(await readFile(tutorialRows, 'utf8')) as { tensor: number[] }[];
    const rows = records.map(({ tensor }) => tensor);
    return { path: tutorialModel, description: "rf_model.onnx (house prices) on the tutorials' 1,000 houses", rows };
  }
  await mkdir(cacheFolder, { recursive: true });
  const path = join(cacheFolder, 'forest.onnx');
  await writeFile(path, forestModel({ features: featureCount, trees: 100, depth: 5 }));
  const description = 'a generated forest of 100 trees of depth 5 on generated rows';
  return { path, description, rows: generateRows(1000) };
}

/** Rows like those of the house-price data: small counts, areas, coordinates; the same in every run. */
function generateRows(count: number): number[][] {
  let seed = 42;
  const random = () => {
    seed = (seed * 1664525 + 1013904223) % 2 ** 32;
    return seed / 2 ** 32;
  };
  const ranges = [
    6,
    4,
    4000,
    20000,
    3,
    1,
    4,
    5,
    12,
    4000,
    1000,
    [47.2, 47.8],
    [-122.5, -121.5],
    4000,
    20000,
    100,
    1,
    70,
  ];
  if (ranges.length !== featureCount) throw new Error('One range a feature.');
  return Array.from({ length: count }, () =>
    ranges.map((range) =>
      typeof range === 'number'
        ? Math.floor(random() * range)
        : Number((range[0]! + random() * (range[1]! - range[0]!)).toFixed(4)),
    ),
  );
}
