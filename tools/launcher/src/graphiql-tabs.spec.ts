import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROLE_SCOPES, type Role } from '@sextant/domain';
import { describe, expect, it } from 'vitest';
import { graphiqlTabs } from './graphiql-tabs.js';
import { samplesFor } from './samples.js';

const FOLDER = join(import.meta.dirname, '../../../clients/operations');
const operations = readdirSync(FOLDER).map((name) => readFileSync(join(FOLDER, name), 'utf8'));
const tokens = Object.fromEntries(
  Object.keys(ROLE_SCOPES).map((role) => [role, `token of ${role}`]),
) as Record<Role, string>;
const subjects = { customer: 'cus_1', leads: ['cus_2'], products: ['p1', 'p2'] };

describe('graphiqlTabs', () => {
  it('holds the samples first, then queries of the product with their variables and a token that may ask them', () => {
    const samples = samplesFor(subjects);
    const tabs = graphiqlTabs({ samples, subjects, tokens }, operations);
    expect(tabs.slice(0, samples.length).map(({ query }) => query)).toEqual(
      samples.map(({ query }) => expect.stringContaining(query) as string),
    );
    expect(tabs[1]?.query).toContain('query WhatPriceToQuote {');
    const home = tabs.find(({ query }) => query.includes('query Home'));
    expect(home).toMatchObject({ variables: { id: 'cus_1' }, token: 'token of web' });
    expect(tabs.length).toBeGreaterThanOrEqual(samples.length + 6);
    expect(tabs.some(({ query }) => query.includes('mutation'))).toBe(false);
  });

  it('is empty over an empty store', () => {
    expect(graphiqlTabs({ samples: [], subjects: null, tokens }, operations)).toEqual([]);
  });
});
