import { describe, expect, it } from 'vitest';
import { PlanCache } from './request-plan.ts';

const plan = (contentType: string | undefined, accept?: string) =>
  new PlanCache().get({ target: '/infer', contentType, accept, userAgent: undefined });

describe('PlanCache', () => {
  it.each([
    ['application/json', 'json'],
    ['application/json; charset=utf-8', 'json'],
    ['Application/JSON; format="pandas-records"', 'records'],
    ['application/json; format=wallaroo', 'classic'],
    ['application/vnd.apache.arrow.file', 'arrow'],
  ])('reads %s as %s', (contentType, format) => {
    expect(plan(contentType).bodyFormat).toBe(format);
  });

  it.each([
    undefined,
    '',
    'text/html',
    'application/x-www-form-urlencoded',
    'application/json; format=parquet',
    'application/vnd.apache.arrow.stream',
  ])('refuses the content type %s', (contentType) => {
    expect(() => plan(contentType)).toThrow(expect.objectContaining({ word: 'unsupported_media_type' }));
  });

  it.each<[string, string | undefined, boolean]>([
    ['application/json', undefined, false],
    ['application/json', '*/*', false],
    ['application/json', 'application/vnd.apache.arrow.file', true],
    ['application/vnd.apache.arrow.file', '*/*', true],
    ['application/vnd.apache.arrow.file', 'text/html, application/json;q=0.5', false],
    ['application/vnd.apache.arrow.file', undefined, true],
  ])('answers %s with accept %s in Arrow: %s', (contentType, accept, isArrow) => {
    expect(plan(contentType, accept).wantsArrow).toBe(isArrow);
  });

  it('keeps one plan for equal headers, and not one for each of any number of queries', () => {
    const cache = new PlanCache();
    const get = (query: string) =>
      cache.get({ target: `/infer?${query}`, contentType: 'application/json', accept: undefined, userAgent: 'x' });
    const first = get('a');
    expect(get('a')).toBe(first);
    for (let index = 0; index < 300; index += 1) get(`dataset[]=${index}`);
    expect(get('a')).not.toBe(first);
  });
});
