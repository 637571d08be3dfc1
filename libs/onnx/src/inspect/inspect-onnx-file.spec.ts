import { seededRandom } from '@sextant/learning';
import { describe, expect, it } from 'vitest';
import { adaptScoreModel } from '../adapt/adapt-score-model.js';
import { hostileCorpus } from '../testing/hostile-corpus.fixture.js';
import { goodModel, treeModel } from '../testing/hostile-files.fixture.js';
import { inspectOnnxFile } from './inspect-onnx-file.js';
import { ModelRefused } from './model-refused.js';

const CORPUS = hostileCorpus();
const CONTRACT = {
  columns: 2,
  meaning: 'PROBABILITY',
  output: null,
  positiveClass: null,
  calibration: null,
} as const;

function refusal(bytes: Uint8Array): ModelRefused | null {
  try {
    adaptScoreModel(inspectOnnxFile(bytes), CONTRACT);
    return null;
  } catch (error) {
    if (error instanceof ModelRefused) return error;
    throw error;
  }
}

describe('inspectOnnxFile', () => {
  it('takes what the hostile files are made of', () => {
    expect(refusal(goodModel())).toBeNull();
    expect(refusal(treeModel())).toBeNull();
    expect(CORPUS.length).toBeGreaterThanOrEqual(60);
  });

  it.each(CORPUS)('refuses $name: $code', ({ bytes, code }) => {
    const before = process.memoryUsage().rss;
    const startedAt = performance.now();
    const refused = refusal(bytes);
    expect([refused?.code, refused?.message]).toEqual([code, expect.stringMatching(/.{20}/)]);
    expect(process.memoryUsage().rss - before).toBeLessThan(300 * 1024 ** 2);
    expect(performance.now() - startedAt).toBeLessThan(5_000);
  });

  it('reads 3,000 damaged files to a verdict, each at once', () => {
    const random = seededRandom(11);
    const originals = [goodModel(), treeModel()];
    const verdicts = new Map<string, number>();
    const startedAt = performance.now();
    for (let i = 0; i < 3_000; i++) {
      const copy = Uint8Array.from(originals[i % 2] ?? []);
      for (let k = 0; k <= i % 4; k++) copy[Math.floor(random() * copy.length)] = Math.floor(random() * 256);
      const code = refusal(copy)?.code ?? 'taken';
      verdicts.set(code, (verdicts.get(code) ?? 0) + 1);
    }
    expect(performance.now() - startedAt).toBeLessThan(20_000);
    expect(verdicts.get('NOT_ONNX')).toBeGreaterThan(300);
  });
});
