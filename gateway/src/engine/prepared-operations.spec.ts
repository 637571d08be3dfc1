import { buildSchema } from 'graphql';
import { describe, expect, it } from 'vitest';
import { PreparedOperation } from '../pipeline/operation.js';
import { PreparedOperations } from './prepared-operations.js';

const schema = buildSchema('type Query { secret: String open: String }');

describe('PreparedOperations', () => {
  it('never gives one text for another, whatever an operation is called', () => {
    const operations = new PreparedOperations({ schemas: { company: schema, partner: schema }, rules: [] });
    const secret = 'query A { secret }';
    const open = 'query B { open }';
    expect(operations.get(`${secret}\n${open}`, 'A', 'company')).toBeInstanceOf(PreparedOperation);
    for (const name of [`A\n${secret}`, `A ${secret}`, `"A" ${secret}\n`, `A" ${secret}\n`])
      expect(operations.get(open, name, 'company')).toMatchObject([
        { extensions: { code: 'OPERATION_RESOLUTION_FAILURE' } },
      ]);
  });
});
