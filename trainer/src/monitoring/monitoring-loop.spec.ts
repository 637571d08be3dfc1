import { type CountedVersion, HOUR_MS, type MonitoringReport, type Window } from '@sextant/monitoring';
import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import { closedWindows, MonitoringLoop } from './monitoring-loop.js';

const MINUTE_MS = 60_000;
const DAY = Date.parse('2026-03-10T00:00:00Z');
const VERSIONS: CountedVersion[] = [1, 2].map((version) => ({
  ...{ tenantId: 'demo', model: 'demo.lead', version, rows: 100 },
}));

function aReport({ tenantId, model, version }: CountedVersion, window: Window): MonitoringReport {
  return {
    ...{ tenantId, model, version, window, rowsSeen: 1, workers: 1, features: [], performance: null },
    ...{ findings: [], notes: [], verdict: 'stable: yes', createdAt: new Date(), retrainJobId: null },
  };
}

/** A loop over a store in memory, whose analysis fails where it is told to. */
function aLoop({ holds = (): boolean => true, fails = new Set<number>() } = {}) {
  const stored = new Map<string, MonitoringReport>();
  const keyOf = ({ version, window }: Pick<MonitoringReport, 'version' | 'window'>): string =>
    `${version}/${window.to.toISOString()}`;
  const clock = { at: DAY + 3 * MINUTE_MS, now: () => new Date(clock.at) };
  const rounds: string[] = [];
  const asked = { windows: 0 };
  const loop = new MonitoringLoop(
    {
      lease: { hold: async () => holds(), release: async () => undefined },
      sketches: {
        listCounted: async ({ to }) => {
          asked.windows += 1;
          return to.getTime() > DAY - 3 * 24 * HOUR_MS ? VERSIONS : [];
        },
      },
      reports: {
        has: async (report) => stored.has(keyOf(report)),
        insert: async (report) => {
          if (stored.has(keyOf(report))) return false;
          stored.set(keyOf(report), report);
          return true;
        },
      },
      windowReports: {
        report: async (counted, window) => {
          if (fails.has(counted.version)) throw new Error('its files are gone');
          return aReport(counted, window);
        },
      },
      logger: pino({ level: 'silent' }),
      clock,
      onRound: (outcome) => rounds.push(outcome),
    },
    { windowHours: 24, roundMs: 1_000 },
  );
  return { loop, stored, clock, rounds, asked, fails };
}

describe('closedWindows', () => {
  it('closes a window two minutes after its end, and begins windows at multiples of their length', () => {
    const [before] = closedWindows(new Date(DAY + 2 * MINUTE_MS - 1), 24).slice(-1);
    const [after] = closedWindows(new Date(DAY + 2 * MINUTE_MS), 24).slice(-1);
    expect(before?.to).toEqual(new Date(DAY - 24 * HOUR_MS));
    expect(after).toEqual({ from: new Date(DAY - 24 * HOUR_MS), to: new Date(DAY) });
    const hours = closedWindows(new Date(DAY + 2 * MINUTE_MS), 1);
    expect(hours).toHaveLength(7);
    expect(hours.map(({ from, to }) => to.getTime() - from.getTime())).toEqual(new Array(7).fill(HOUR_MS));
  });
});

describe('MonitoringLoop', () => {
  it('makes up for windows that nobody judged, oldest first, and judges none twice', async () => {
    const { loop, stored } = aLoop();
    const made = await loop.round();
    expect(made.map(({ version, window }) => [version, window.to.getTime()])).toEqual(
      [2, 1, 0].flatMap((days) => [1, 2].map((version) => [version, DAY - days * 24 * HOUR_MS])),
    );
    expect(await loop.round()).toEqual([]);
    expect(stored.size).toBe(6);
  });

  it('goes on with the other versions where one cannot be analysed, says so, and tries again', async () => {
    const { loop, rounds, fails } = aLoop({ fails: new Set([1]) });
    expect((await loop.round()).every(({ version }) => version === 2)).toBe(true);
    expect(rounds).toEqual(['failed']);
    fails.clear();
    expect((await loop.round()).every(({ version }) => version === 1)).toBe(true);
    expect(rounds).toEqual(['failed', 'ok']);
  });

  it('does nothing while another trainer holds the lease, and stops where it loses it', async () => {
    const idle = aLoop({ holds: () => false });
    expect(await idle.loop.round()).toEqual([]);
    expect(idle.asked.windows).toBe(0);
    let held = 3;
    const losing = aLoop({ holds: () => held-- > 0 });
    expect(await losing.loop.round()).toHaveLength(2);
  });

  it('looks at a window for an hour, then no more: late counts of a worker still come in', async () => {
    const { loop, clock, asked } = aLoop();
    await loop.round();
    expect(asked.windows).toBe(7);
    await loop.round();
    expect(asked.windows).toBe(8);
    clock.at = DAY + HOUR_MS;
    await loop.round();
    await loop.round();
    expect(asked.windows).toBe(9);
  });
});
