import { describe, expect, it } from 'vitest';
import { choosePipeline, modelNameOf, pipelineNameIn } from './model-name.ts';

const [lone, mine, yours] = [
  { pipelineName: 'lone', workspaceName: 'mine' },
  { pipelineName: 'twin', workspaceName: 'mine' },
  { pipelineName: 'twin', workspaceName: 'yours.too' },
] as const;
const usable = [lone, mine, yours];

describe('names of models', () => {
  it.each([
    ['lone', lone],
    ['mine.lone', lone],
    ['mine.twin', mine],
    ['yours.too.twin', yours],
  ] as const)('%s stands for one pipeline', (name, pipeline) => {
    expect(choosePipeline(name, usable)).toBe(pipeline);
    expect(pipelineNameIn(name)).toBe(pipeline.pipelineName);
  });

  it.each(['', '.', 'other', 'too.twin', 'yours.lone', 'twin.', 'mine.'])('"%s" stands for none', (name) => {
    expect(() => choosePipeline(name, usable)).toThrow(expect.objectContaining({ word: 'not_found' }));
  });

  it('refuse to choose between two, and name both', () => {
    expect(() => choosePipeline('twin', usable)).toThrow(
      expect.objectContaining({ word: 'conflict', message: expect.stringContaining('"mine.twin", "yours.too.twin"') }),
    );
  });

  it('are as short as they can be, and lead back', () => {
    expect(usable.map((pipeline) => modelNameOf(pipeline, usable))).toEqual(['lone', 'mine.twin', 'yours.too.twin']);
    for (const pipeline of usable) expect(choosePipeline(modelNameOf(pipeline, usable), usable)).toBe(pipeline);
  });
});
