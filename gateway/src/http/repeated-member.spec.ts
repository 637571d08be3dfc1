import { describe, expect, it } from 'vitest';
import { repeatedMember } from './repeated-member.js';

describe('repeatedMember', () => {
  it.each([
    ['{"query":"a","query":"b"}', 'query'],
    ['{"query":"a","variables":{},"variables" : {"x":1}}', 'variables'],
    ['{"query":"a","query\\u0020":1,"operationName":null,"operationName":"b"}', 'operationName'],
    ['[{"query":"a"},{"query":"b","query":"c"}]', 'query'],
    ['{"query":"a","\\u0071uery":"b"}', 'query'],
    ['{"\\u0071\\u0075ery":"a","quer\\u0079":"b"}', 'query'],
    ['[{"query":"a","document\\u0049d":"b","documentId":"c"}]', 'documentId'],
    [`{"query":"a","query"${' '.repeat(100)}:"b"}`, 'query'],
  ])('finds it in %s', (text, member) => {
    expect(repeatedMember(text)).toBe(member);
  });

  it.each([
    '{"query":"a","variables":{"query":"b"}}',
    '{"query":"{ \\"query\\": 1 }","variables":{"list":[{"query":1},{"query":2}]}}',
    '{"query":"a","extensions":{"query":{"query":1}}}',
    '[{"query":"a"},{"query":"b"}]',
    '{"query":"\\\\"}',
    '{"query":"\\u0071","variables":{"\\u0071uery":"a","query":"b"}}',
    '{"\\u0071uery":"a","variables":{}}',
    '{}',
    '[]',
    '"query"',
  ])('finds none in %s', (text) => {
    expect(repeatedMember(text)).toBeNull();
  });

  it('takes time in proportion to a large batch of events', () => {
    const events = Array.from({ length: 20_000 }, (_, i) => ({ id: `e${i}`, properties: { query: 'x' } }));
    const text = JSON.stringify({ query: 'a', variables: { events } });
    const startedMs = performance.now();
    expect(repeatedMember(text)).toBeNull();
    expect(performance.now() - startedMs).toBeLessThan(1_000);
  });
});
