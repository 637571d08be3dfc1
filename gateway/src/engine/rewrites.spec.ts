import { describe, expect, it } from 'vitest';
import { compileRewrites, renamedKeys } from './rewrites.js';
import { TypeConditions } from './type-conditions.js';

const types = new TypeConditions(new Map([['Node', new Set(['Node', 'User', 'Team'])]]));

describe('a rewrite of a plan', () => {
  it('gives aliases of the plan their names back, in every item and of the right type only', () => {
    const rewrite = compileRewrites(
      [
        {
          KeyRenamer: {
            path: [{ Key: '_entities' }, { TypenameEquals: ['Node'] }, { Key: '_alias' }],
            renameKeyTo: 'name',
          },
        },
      ],
      types,
    );
    const data = {
      _entities: [{ __typename: 'User', _alias: 'a' }, null, { __typename: 'Other', _alias: 'b' }],
    };
    rewrite?.(data);
    expect(data._entities).toEqual([
      { __typename: 'User', name: 'a' },
      null,
      { __typename: 'Other', _alias: 'b' },
    ]);
  });

  it('sets values, also of the type itself', () => {
    const rewrite = compileRewrites(
      [{ ValueSetter: { path: [{ TypenameEquals: ['User'] }, { Key: '__typename' }], setValueTo: 'Node' } }],
      types,
    );
    const representation = { __typename: 'User', id: '1' };
    rewrite?.(representation);
    expect(representation).toEqual({ __typename: 'Node', id: '1' });
  });

  it('is nothing where a plan has none', () => {
    expect(compileRewrites([], types)).toBeNull();
    expect(renamedKeys(undefined).size).toBe(0);
  });
});
