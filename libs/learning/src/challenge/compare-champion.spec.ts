import { describe, expect, it } from 'vitest';
import { seededRandom } from '../random/seeded-random.js';
import { compareChampion, type ComparedDecision } from './compare-champion.js';

/** Outcomes of a champion that is calibrated, and a challenger made from its score. */
function decisions(count: number, seed: number, challenge: (score: number) => number): ComparedDecision[] {
  const random = seededRandom(seed);
  return Array.from({ length: count }, () => {
    const champion = 0.05 + 0.9 * random();
    return { champion, challenger: challenge(champion), outcome: random() < champion ? 1 : 0 };
  });
}

describe('compareChampion', () => {
  it('is undecided without decisions', () => {
    const { verdict, decisions: count, low, high } = compareChampion([], { level: 0.99 });
    expect({ verdict, count, low, high }).toEqual({ verdict: 'UNDECIDED', count: 0, low: -1, high: 1 });
  });

  it('finds inverted scores worse within 200 decisions', () => {
    const compared = compareChampion(
      decisions(200, 1, (score) => 1 - score),
      { level: 0.99 },
    );
    expect(compared.verdict).toBe('WORSE');
    expect(compared.difference).toBeGreaterThan(0.1);
  });

  it('finds a calibrated challenger better than a champion that always says one half', () => {
    const turned = decisions(1_500, 2, (score) => score).map((each) => ({ ...each, champion: 0.5 }));
    expect(compareChampion(turned, { level: 0.95 }).verdict).toBe('BETTER');
  });

  it('stops no equally good challenger: 300 of them, looked at after every decision', () => {
    let stopped = 0;
    for (let run = 0; run < 300; run += 1) {
      const random = seededRandom(10_000 + run);
      const noisy = decisions(250, run, (score) => score).map(({ champion, outcome }) => {
        const noise = 0.1 * (random() - 0.5);
        const clip = (score: number): number => Math.min(1, Math.max(0, score));
        return { champion: clip(champion + noise), challenger: clip(champion - noise), outcome };
      });
      for (let seen = 10; seen <= noisy.length; seen += 10)
        if (compareChampion(noisy.slice(0, seen), { level: 0.9 }).verdict === 'WORSE') {
          stopped += 1;
          break;
        }
    }
    expect(stopped / 300).toBeLessThan(0.05);
  });

  it('does not call a challenger worse by less than the tolerance', () => {
    const near = decisions(3_000, 3, (score) => Math.min(1, score + 0.08));
    expect(compareChampion(near, { level: 0.9, tolerance: 0.02 }).verdict).toBe('UNDECIDED');
  });

  it.each([-0.1, 1.1, Number.NaN])('refuses the score %d', (challenger) => {
    expect(() => compareChampion([{ champion: 0.5, challenger, outcome: 1 }], { level: 0.9 })).toThrow(
      RangeError,
    );
  });
});
