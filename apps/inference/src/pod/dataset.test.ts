import { describe, expect, it } from 'vitest';
import { readDataset } from './dataset.ts';

const paths = ['time', 'in.a', 'out.a', 'out.a.b', 'outer', 'anomaly.count', 'metadata.elapsed', 'metadata.last_model'];
const selected = (query: string) => paths.filter((path) => readDataset(new URLSearchParams(query)).includes(path));

describe('readDataset', () => {
  it.each<[string, string[]]>([
    ['', paths],
    ['dataset[]=*', ['time', 'in.a', 'out.a', 'out.a.b', 'outer', 'anomaly.count']],
    ['dataset[]=*&dataset.exclude[]=metadata', ['time', 'in.a', 'out.a', 'out.a.b', 'outer', 'anomaly.count']],
    ['dataset.separator=.', ['time', 'in.a', 'out.a', 'out.a.b', 'outer', 'anomaly.count']],
    ['dataset[]=*&dataset[]=metadata', paths],
    ['dataset[]=out', ['out.a', 'out.a.b']],
    ['dataset[]=out.a&dataset.exclude[]=out.a.b', ['out.a']],
    ['dataset[]=time&dataset[]=in', ['time', 'in.a']],
    ['dataset[]=*&dataset.exclude[]=out&dataset.exclude[]=outer', ['time', 'in.a', 'anomaly.count']],
    ['dataset[]=*&dataset.exclude[]=out&dataset[]=out.a.b', ['time', 'in.a', 'out.a.b', 'outer', 'anomaly.count']],
    ['dataset[]=metadata.elapsed&dataset.exclude[]=metadata', ['metadata.elapsed']],
    ['dataset[]=in&dataset.exclude[]=in', []],
  ])('reads "%s"', (query, expected) => {
    expect(selected(query)).toEqual(expected);
  });

  it('tells flat names from nested objects', () => {
    expect(readDataset(new URLSearchParams('dataset.separator=_')).separator).toBe('_');
    expect(readDataset(new URLSearchParams('dataset[]=*')).separator).toBeNull();
  });
});
