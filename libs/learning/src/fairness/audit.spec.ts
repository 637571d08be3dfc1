import { describe, expect, it } from 'vitest';
import { seededRandom } from '../random/seeded-random.js';
import { auditFairness } from './audit.js';

const OPTIONS = { threshold: 0.5, seed: 1 };

/** [group, label, probability, how many rows of it] */
function rowsOf(cells: [string, number, number, number][]) {
  const rows = cells.flatMap(([group, label, probability, n]) =>
    Array.from({ length: n }, () => ({ group, label, probability })),
  );
  return {
    attribute: 'sex',
    groups: rows.map(({ group }) => group),
    labels: rows.map(({ label }) => label),
    probabilities: rows.map(({ probability }) => probability),
  };
}

describe('auditFairness', () => {
  const audit = auditFairness(
    rowsOf([
      ['F', 1, 0.9, 60],
      ['F', 1, 0.1, 40],
      ['F', 0, 0.9, 20],
      ['F', 0, 0.1, 280],
      ['M', 1, 0.9, 80],
      ['M', 1, 0.1, 20],
      ['M', 0, 0.9, 60],
      ['M', 0, 0.1, 140],
    ]),
    OPTIONS,
  );

  it('counts rates as worked by hand', () => {
    const [women, men] = audit.groups;

    expect(women).toMatchObject({ group: 'F', rows: 400, positives: 100 });
    expect(women?.selectionRate.value).toBeCloseTo(0.2, 12);
    expect(women?.truePositiveRate?.value).toBeCloseTo(0.6, 12);
    expect(women?.falsePositiveRate?.value).toBeCloseTo(20 / 300, 12);
    expect(women?.calibrationGap).toBeCloseTo((80 * 0.9 + 320 * 0.1 - 100) / 400, 12);
    expect(men?.selectionRate.value).toBeCloseTo(140 / 300, 12);
    expect(audit.selectionRateGap?.value).toBeCloseTo(140 / 300 - 0.2, 12);
    expect(audit.truePositiveRateGap?.value).toBeCloseTo(0.2, 12);
    expect(audit.falsePositiveRateGap?.value).toBeCloseTo(0.3 - 20 / 300, 12);
    expect(audit.disparateImpact?.value).toBeCloseTo(0.2 / (140 / 300), 12);
  });

  it('flags each gap by name, with groups and rates', () => {
    expect(audit.flags).toEqual([
      expect.stringMatching(
        /^selection rate by "sex": F 0\.200, M 0\.467 at threshold 0\.50, a gap of 0\.267/,
      ),
      expect.stringMatching(/^true positive rate by "sex": F 0\.600, M 0\.800/),
      expect.stringMatching(/^false positive rate by "sex": F 0\.067, M 0\.300/),
      expect.stringMatching(
        /^disparate impact by "sex": F 0\.200, M 0\.467, a ratio of 0\.43, below four fifths/,
      ),
      'calibration by "sex": M is overrated by 0.140',
    ]);
  });

  it('flags nothing where groups differ by chance only', () => {
    const random = seededRandom(8);
    const rows = Array.from({ length: 3000 }, () => {
      const probability = random();
      return { group: random() < 0.5 ? 'a' : 'b', probability, label: random() < probability ? 1 : 0 };
    });
    const { flags } = auditFairness(
      {
        attribute: 'side',
        groups: rows.map(({ group }) => group),
        labels: rows.map(({ label }) => label),
        probabilities: rows.map(({ probability }) => probability),
      },
      OPTIONS,
    );

    expect(flags).toEqual([]);
  });

  it('names the group that is overrated', () => {
    const { flags } = auditFairness(
      rowsOf([
        ['a', 1, 0.3, 30],
        ['a', 0, 0.3, 70],
        ['b', 1, 0.3, 10],
        ['b', 0, 0.3, 90],
      ]),
      OPTIONS,
    );

    expect(flags).toEqual(['calibration by "sex": b is overrated by 0.200']);
  });

  it('counts small groups and does not compare them', () => {
    const { groups, disparateImpact, selectionRateGap } = auditFairness(
      rowsOf([
        ['many', 1, 0.9, 100],
        ['few', 0, 0.1, 99],
      ]),
      OPTIONS,
    );

    expect(groups.map(({ group }) => group)).toEqual(['few', 'many']);
    expect([disparateImpact, selectionRateGap]).toEqual([null, null]);
  });

  it('has no rate of positives where a group has none, and no ratio where nobody is selected', () => {
    const { groups, truePositiveRateGap, disparateImpact } = auditFairness(
      rowsOf([
        ['a', 0, 0.1, 100],
        ['b', 0, 0.1, 100],
      ]),
      OPTIONS,
    );

    expect(groups[0]?.truePositiveRate).toBeNull();
    expect(truePositiveRateGap).toBeNull();
    expect(disparateImpact).toBeNull();
  });

  it('refuses no rows and lengths that differ', () => {
    expect(() => auditFairness(rowsOf([]), OPTIONS)).toThrow(RangeError);
    expect(() => auditFairness({ ...rowsOf([['a', 1, 1, 2]]), labels: [1] }, OPTIONS)).toThrow(RangeError);
  });
});
