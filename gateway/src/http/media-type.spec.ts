import { describe, expect, it } from 'vitest';
import { names, negotiate } from './media-type.js';

const NEW = 'application/graphql-response+json';
const OLD = 'application/json';

describe('negotiate', () => {
  it.each([
    [undefined, OLD],
    ['', OLD],
    ['*/*', OLD],
    ['application/*', OLD],
    [OLD, OLD],
    [NEW, NEW],
    [`${NEW}, ${OLD}`, NEW],
    [`${OLD}, ${NEW}`, NEW],
    [`${NEW};q=0.5, ${OLD}`, OLD],
    [`${NEW}, ${OLD};q=0.9`, NEW],
    [`${NEW};charset=utf-8, ${OLD};charset=utf-8`, NEW],
    ['text/html,application/xhtml+xml,*/*;q=0.8', OLD],
    [`${NEW};q=0, */*`, OLD],
    [`APPLICATION/JSON`, OLD],
    ['text/html', null],
    ['multipart/mixed', null],
    [`${OLD};q=0`, null],
    [`${OLD};charset=iso-8859-1`, null],
  ])('answers %s with %s', (accept, type) => {
    expect(negotiate(accept)).toBe(type);
  });
});

describe('names', () => {
  it('takes a type itself for named, a wildcard for not', () => {
    expect(names('text/event-stream', 'text/event-stream')).toBe(true);
    expect(names('application/json, text/event-stream;q=0.5', 'text/event-stream')).toBe(true);
    expect(names('*/*', 'text/event-stream')).toBe(false);
    expect(names('text/event-stream;q=0', 'text/event-stream')).toBe(false);
  });
});
