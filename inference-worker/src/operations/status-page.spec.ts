import { describe, expect, it } from 'vitest';
import { ModelStatistics } from './model-statistics.js';
import { statusPage } from './status-page.js';
import type { VersionReport, WorkerReport } from './worker-report.js';

const HOSTILE = `<script>alert(1)</script>"'><img src=x onerror=y>&amp;`;
const NOW = new Date('2026-03-01T00:00:00Z');

function aVersion(overrides: Partial<VersionReport> = {}): VersionReport {
  return {
    version: '3',
    roles: ['live', 'stable'],
    isInMemory: true,
    trainedAt: '2026-02-28T00:00:00Z',
    device: 'CPU',
    attempts: [],
    memoryBytes: 5 * 1024 ** 2,
    pendingRows: 0,
    oldestWaitMs: 0,
    statistics: new ModelStatistics('demo.lead', '3'),
    ...overrides,
  };
}

function aReport(versions: VersionReport[], overrides: Partial<WorkerReport> = {}): WorkerReport {
  const nothing = { p50: null, p99: null };
  const model = {
    model: 'demo.lead',
    versions,
    queue: nothing,
    compute: nothing,
    request: nothing,
    batchSizes: [],
  };
  return {
    version: '0.1.0',
    state: 'ready',
    uptimeSeconds: 90_061,
    threads: { alive: 2, busy: 1 },
    threadsLost: 0,
    loop: { p50: 0, p99: 3, max: 12 },
    memory: { rss: 200 * 1024 ** 2, heap: 1, external: 1, models: 1 },
    pendingRows: 0,
    models: [model],
    refused: [],
    ...overrides,
  };
}

describe('the status page', () => {
  it('escapes names, reasons and failures', () => {
    const statistics = new ModelStatistics(HOSTILE, HOSTILE);
    const attempts = [{ provider: 'cuda', failure: HOSTILE } as const];
    const version = aVersion({
      version: HOSTILE,
      roles: [HOSTILE],
      trainedAt: HOSTILE,
      attempts,
      statistics,
    });
    const refused = [{ model: HOSTILE, version: 2, reason: HOSTILE, at: NOW.getTime() }];
    const report = aReport([version], { version: HOSTILE, refused });
    const [model] = report.models;
    if (model) model.model = HOSTILE;
    const page = statusPage(report, NOW);

    expect(page).not.toMatch(/<script|<img/);
    expect(page.match(/&lt;script&gt;alert\(1\)&lt;\/script&gt;&quot;&#39;&gt;/g)?.length).toBe(8);
    expect(page).toContain('&amp;amp;');
  });

  it('says who serves, what left memory, what waits and what failed', () => {
    const failing = new ModelStatistics('demo.lead', '4');
    failing.fail.add(3);
    failing.failures.BACKEND = 1;
    const canary = aVersion({
      version: '4',
      roles: ['canary 10 %'],
      pendingRows: 1_234,
      oldestWaitMs: 1_500,
      statistics: failing,
    });
    const page = statusPage(aReport([aVersion({ isInMemory: false }), canary], { threadsLost: 2 }), NOW);
    for (const text of [
      '1 of 2 busy',
      '2 lost',
      'canary 10 %',
      'left memory',
      '1,234 rows, 1.50 s',
      '1 BACKEND',
    ])
      expect(page).toContain(text);
    expect(page).toContain('up 1 d 1 h');
  });

  it('names a worker without models', () => {
    expect(statusPage(aReport([], { models: [], threads: undefined }), NOW)).toContain('None is served');
  });
});
