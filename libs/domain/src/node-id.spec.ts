import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { nodeIdOf, parseNodeId } from './node-id.js';

describe('node ids', () => {
  it('lead back to type and id, colons and all', () => {
    expect(parseNodeId(nodeIdOf('Product', 'a:b/ü'))).toEqual({ type: 'Product', id: 'a:b/ü' });
    fc.assert(
      fc.property(fc.string({ minLength: 1, maxLength: 100, unit: 'grapheme' }), (id) => {
        expect(parseNodeId(nodeIdOf('Customer', id))).toEqual({ type: 'Customer', id });
      }),
    );
  });

  it('differ between types and ids', () => {
    expect(nodeIdOf('Product', '1')).not.toBe(nodeIdOf('Customer', '1'));
    expect(nodeIdOf('Product', '1')).not.toBe(nodeIdOf('Product', '2'));
  });

  it.each([
    '',
    'P00001',
    'cus_0123',
    nodeIdOf('Product', ''),
    `${nodeIdOf('Product', '1')}=`,
    'x'.repeat(2_000),
  ])('refuse "%s"', (text) => {
    expect(() => parseNodeId(text)).toThrow('nodeId');
  });
});
