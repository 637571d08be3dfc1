import { customerIdOf } from '@sextant/features';
import { describe, expect, it } from 'vitest';
import { KnownRefs } from './known-refs.js';

const customer = (ref: string) => ({ ref, id: customerIdOf('t', ref) });

describe('KnownRefs', () => {
  it('knows the id of any ref, and of stored ones that they are stored, in their own tenant only', () => {
    const refs = new KnownRefs();
    expect(refs.lookUp('t', 'a')).toEqual({ id: customerIdOf('t', 'a'), isStored: false });
    refs.noteStored('t', [customer('a')]);
    expect(refs.lookUp('t', 'a')).toEqual({ id: customerIdOf('t', 'a'), isStored: true });
    expect(refs.lookUp('u', 'a')).toEqual({ id: customerIdOf('u', 'a'), isStored: false });
  });

  it('keeps what is used and forgets what is not, within its capacity', () => {
    const refs = new KnownRefs(10);
    refs.noteStored('t', [customer('used'), customer('unused')]);
    for (let i = 0; i < 100; i++) {
      refs.noteStored('t', [customer(`other${i}`)]);
      expect(refs.lookUp('t', 'used').isStored).toBe(true);
    }
    expect(refs.lookUp('t', 'unused').isStored).toBe(false);
    const stored = Array.from({ length: 100 }, (_, i) => refs.lookUp('t', `other${i}`).isStored);
    expect(stored.filter(Boolean).length).toBeLessThanOrEqual(10);
  });
});
