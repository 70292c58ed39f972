import { describe, expect, it } from 'vitest';
import { type ServedModel, servedTensors } from './served-pipeline.ts';

const uuid = (index: number) => `00000000-0000-4000-8000-00000000000${index}`;
const reference = (index: number) => ({ name: `m${index}`, version: uuid(index), sha: 'a'.repeat(64) });
const inference = (...indices: number[]) => ({ ModelInference: { models: indices.map(reference) } });

/** Model i takes `x<i>` of width i and gives `y<i>` of width i. */
const models = [1, 2, 3].map((index): ServedModel => {
  const tensor = (name: string) => ({ name: `${name}${index}`, type: 'float32' as const, shape: ['N', index] });
  return { version: uuid(index), signature: { inputs: [tensor('x')], outputs: [tensor('y')] }, tensorFields: null };
});

const described = (...steps: object[]) => {
  const { inputs, outputs } = servedTensors(steps, models);
  return [...inputs, ...outputs].map(({ name, shape }) => `${name} [${shape}]`).join(' → ');
};

describe('what a pipeline takes and gives', () => {
  it('is that of its only model', () => {
    expect(described(inference(2))).toBe('x2 [-1,2] → y2 [-1,2]');
  });

  it('is the input of the first model of a chain and the output of the last', () => {
    expect(described(inference(1), inference(2), inference(3))).toBe('x1 [-1,1] → y3 [-1,3]');
  });

  it('is that of the champion where several models run side by side', () => {
    expect(described(inference(3, 1), { AuditResults: { from: 1 } }, { Nth: { index: 0 } })).toBe(
      'x3 [-1,3] → y3 [-1,3]',
    );
    const split = { MetaValueSplit: { split_key: 'card', control: reference(2), routes: { gold: reference(1) } } };
    expect(described(split)).toBe('x2 [-1,2] → y2 [-1,2]');
  });

  it('has open dimensions where a step changes the columns on their way', () => {
    const select = { ColumnsSelect: { columns: [0] } };
    expect(described(select, inference(2))).toBe('x2 [-1,-1] → y2 [-1,2]');
    expect(described(inference(2), select)).toBe('x2 [-1,2] → y2 [-1,-1]');
  });

  it('is nothing where nothing is known of the models', () => {
    expect(servedTensors([inference(9)], models)).toEqual({ inputs: [], outputs: [] });
    expect(servedTensors([], models)).toEqual({ inputs: [], outputs: [] });
    expect(servedTensors([inference(1)], [{ ...models[0]!, signature: null }])).toEqual({ inputs: [], outputs: [] });
  });
});
