import type { AssignmentExample } from '@sextant/features';
import { randomNormal, seededRandom } from '@sextant/learning';
import { describe, expect, it } from 'vitest';
import { trainUpliftModel } from './train-uplift.js';

const AT = Date.UTC(2026, 0, 1);

function examples(n: number): AssignmentExample[] {
  const random = seededRandom(3);
  return Array.from({ length: n }, (_, i) => {
    const reads = randomNormal(random);
    const isMailed = random() < 0.5;
    const label = random() < 0.4 + (isMailed ? 0.3 * Math.tanh(reads) : 0) ? 1 : 0;
    return {
      customerId: `cus_${i}`,
      at: new Date(AT + i * 60_000),
      campaignId: 'r1',
      goal: 'retain',
      action: isMailed ? 'mail' : 'none',
      choices: ['none', 'mail'],
      channel: isMailed ? 'email' : null,
      cost: isMailed ? 0.9 : 0,
      features: { 'email.openRate.30d': reads },
      label,
      orderValue: label * 30,
      currency: label === 1 ? 'EUR' : null,
    };
  });
}

const options = { seed: 1, now: new Date(AT), lightGbm: null, onProgress: () => undefined };
const input = { tenantId: 'demo', horizonDays: 14, dataSha256: 'a'.repeat(64) };

describe('trainUpliftModel', () => {
  it('hands over a version of the task uplift, the same for the same events in any order', async () => {
    const rows = examples(2500);
    const trained = await trainUpliftModel({ ...input, examples: rows, notes: ['sampled'] }, options);
    expect(trained.draft).toMatchObject({
      model: 'demo.uplift',
      dataRows: 2500,
      spec: { task: 'uplift', goal: 'retain' },
    });
    expect(trained.card.warnings).toContain('sampled');
    expect(trained.card.warnings).toContainEqual(expect.stringContaining('LightGBM is not available here'));
    const again = await trainUpliftModel({ ...input, examples: rows.toReversed() }, options);
    expect(again.files.get('model.onnx')).toEqual(trained.files.get('model.onnx'));
  });

  it('says what to send where there is no experiment', async () => {
    await expect(trainUpliftModel({ ...input, examples: [] }, options)).rejects.toMatchObject({
      code: 'DATA_INSUFFICIENT',
      message: expect.stringContaining('campaign_assigned'),
    });
  });
});
