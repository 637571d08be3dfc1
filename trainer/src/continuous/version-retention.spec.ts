import type { Stage } from '@sextant/model-registry';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isUnread, type KeptVersion, removableVersions } from './version-retention.js';

const NOW = new Date('2026-03-10T12:00:00Z');
const NOTHING = { pointed: new Set<number>(), used: new Set<number>() };

function daysAgo(days: number): Date {
  return new Date(NOW.getTime() - days * 86_400_000);
}

function aVersion(version: number, rest: Partial<KeptVersion> = {}): KeptVersion {
  return { version, stage: 'RETIRED', since: daysAgo(400), leftLiveAt: null, ...rest };
}

function versions(count: number): KeptVersion[] {
  return Array.from({ length: count }, (_, i) => aVersion(i + 1));
}

describe('removableVersions', () => {
  it('names what left service long ago but the newest three', () => {
    expect(removableVersions(NOW, versions(6), NOTHING, 180)).toEqual([1, 2, 3]);
  });

  it('keeps a version to the day', () => {
    const at = (days: number): number[] =>
      removableVersions(NOW, [aVersion(1, { since: daysAgo(days) }), ...versions(4).slice(1)], NOTHING, 180);
    expect(at(180)).toEqual([1]);
    expect(at(179.99)).toEqual([]);
  });

  it('keeps the last three that were live, however old', () => {
    const old = versions(8).map((each) =>
      each.version <= 4 ? { ...each, leftLiveAt: daysAgo(500 - each.version) } : each,
    );
    expect(removableVersions(NOW, old, NOTHING, 180)).toEqual([1, 5]);
  });

  it('keeps what something points at or works with', () => {
    const needed = { pointed: new Set([1]), used: new Set([3]) };
    expect(removableVersions(NOW, versions(6), needed, 180)).toEqual([2]);
  });

  it('never names a version that serves, or one of the newest, or one in use', () => {
    const anyVersion = fc.record({
      stage: fc.constantFrom<Stage>('CANDIDATE', 'SHADOW', 'CANARY', 'LIVE', 'RETIRED'),
      days: fc.nat(600),
      leftLive: fc.option(fc.nat(600)),
    });
    fc.assert(
      fc.property(fc.array(anyVersion, { maxLength: 12 }), fc.array(fc.nat(12)), (rows, used) => {
        const all = rows.map(({ stage, days, leftLive }, i) =>
          aVersion(i + 1, {
            stage,
            since: daysAgo(days),
            leftLiveAt: leftLive === null ? null : daysAgo(leftLive),
          }),
        );
        const removed = removableVersions(NOW, all, { pointed: new Set(used), used: new Set() }, 90);
        for (const version of removed) {
          const { stage, since } = all[version - 1] ?? aVersion(0);
          expect(['RETIRED', 'CANDIDATE']).toContain(stage);
          expect(since.getTime()).toBeLessThanOrEqual(daysAgo(90).getTime());
          expect(used).not.toContain(version);
          expect(version).toBeLessThanOrEqual(all.length - 3);
        }
      }),
    );
  });
});

describe('isUnread', () => {
  it('is never true without a number of days', () => {
    expect(isUnread(NOW, null, { liveSince: daysAgo(999), lastRead: null })).toBe(false);
  });

  it.each([
    [30, 40, null, true],
    [30, 29.9, null, false],
    [30, 40, 30, true],
    [30, 40, 29.9, false],
  ])('after %d days, live for %d, last read %s days ago: %s', (days, live, read, expected) => {
    const lastRead = read === null ? null : daysAgo(read);
    expect(isUnread(NOW, days, { liveSince: daysAgo(live), lastRead })).toBe(expected);
  });
});
