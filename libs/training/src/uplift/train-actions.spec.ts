import { randomNormal, seededRandom } from '@sextant/learning';
import { describe, expect, it } from 'vitest';
import { type ActionExample, type ActionTraining, trainActions } from './train-actions.js';
import { upliftLearners } from './uplift-learners.js';

/** A mail moves those of high `reads` and puts off the others; a fax changes nothing. */
function experiment(n: number, arms: readonly string[] = ['none', 'mail', 'fax']): ActionExample[] {
  const random = seededRandom(7);
  return Array.from({ length: n }, (_, i) => {
    const reads = randomNormal(random);
    const action = arms[Math.floor(random() * arms.length)] ?? 'none';
    const effect = action === 'mail' ? 0.3 * Math.tanh(reads) : 0;
    const label = random() < 0.4 + effect ? 1 : 0;
    return {
      customerId: `c${i}`,
      features: { reads, noise: randomNormal(random), channel: random() < 0.5 ? 'web' : null },
      action,
      choices: [...arms],
      channel: action === 'none' ? null : 'email',
      cost: action === 'none' ? 0 : 0.5,
      label,
      orderValue: label * 20,
      currency: label === 1 ? 'EUR' : null,
    };
  });
}

const train = (examples: ActionExample[], changes: Partial<ActionTraining> = {}) =>
  trainActions({
    examples,
    goal: 'retain',
    horizonDays: 14,
    learners: upliftLearners(null),
    seed: 1,
    onProgress: () => undefined,
    ...changes,
  });

describe('trainActions', () => {
  it('serves the action that works, refuses the one that does not, and says why', async () => {
    const { spec, onnx, card } = await train(experiment(4500));
    expect(spec.actions.map(({ id }) => id)).toEqual(['mail']);
    expect(spec.actions[0]).toMatchObject({ channel: 'email', cost: 0.5 });
    expect(spec.actions[0]?.qini.low).toBeGreaterThan(0);
    expect(spec.refused).toEqual([
      {
        action: 'fax',
        channel: 'email',
        because: expect.stringContaining('no model beats random targeting'),
      },
    ]);
    expect(spec.outcome).toMatchObject({ value: 20, currency: 'EUR', horizonDays: 14 });
    expect(onnx.outputs[0]?.shape).toEqual([-1, 2]);
    expect(card.warnings).toContainEqual(expect.stringContaining('fax is not offered'));
  });

  it('publishes a version without any action where none works', async () => {
    const { spec, onnx } = await train(experiment(1500, ['none', 'fax']));
    expect([spec.actions, spec.refused.length, onnx.outputs[0]?.shape]).toEqual([[], 1, [-1, 1]]);
  });

  it('refuses an action of too few customers by their number', async () => {
    const few = experiment(1500, ['none', 'mail']).filter(({ action }, i) => action === 'none' || i < 60);
    const { spec } = await train(few);
    expect(spec.refused[0]?.because).toMatch(/treated customers .* need at least 50/);
  });

  it('needs a control group', async () => {
    await expect(train(experiment(200, ['mail']))).rejects.toMatchObject({ code: 'DATA_INSUFFICIENT' });
  });
});
