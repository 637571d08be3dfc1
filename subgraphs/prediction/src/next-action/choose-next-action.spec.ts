import { describe, expect, it } from 'vitest';
import {
  type ActionEffects,
  chooseNextAction,
  type ContactState,
  type OfferedAction,
} from './choose-next-action.js';

const free: ContactState = { takesMails: true, daysSinceContact: null };

function anOffer(changes: Partial<OfferedAction> = {}): OfferedAction {
  return {
    id: 'call',
    channel: 'phone',
    cost: 2,
    uplift: { value: 0.1, low: 0.05, high: 0.15, level: 0.9 },
    ...changes,
  };
}
function effects(...actions: OfferedAction[]): ActionEffects {
  return {
    goal: 'retain',
    without: 0.3,
    sureFrom: 0.5,
    outcomeValue: 100,
    currency: 'EUR',
    actions,
    refused: [],
  };
}

describe('chooseNextAction', () => {
  it('takes what is worth most after its cost, and lists the rest best first', () => {
    const cheap = anOffer({
      id: 'mail',
      channel: 'email',
      cost: 1,
      uplift: { value: 0.08, low: 0.02, high: 0.1, level: 0.9 },
    });
    const dear = anOffer({ id: 'visit', cost: 9 });
    const chosen = chooseNextAction(effects(dear, cheap, anOffer()), free);
    expect(chosen).toMatchObject({
      action: 'call',
      expectedNet: 8,
      segment: 'PERSUADABLE',
      propensity: 1,
      suppressed: [],
    });
    expect(chosen.alternatives.map(({ action, propensity }) => [action, propensity])).toEqual([
      ['mail', 0],
      ['visit', 0],
    ]);
  });

  it.each<[string, Partial<OfferedAction>, Partial<ContactState>, RegExp]>([
    ['the customer unsubscribed', { channel: 'email' }, { takesMails: false }, /^no consent: unsubscribed/],
    ['consent was never given', { channel: 'email' }, { takesMails: null }, /^no consent: never/],
    ['the last contact is fresh', {}, { daysSinceContact: 6.99 }, /^contacted too recently: 7.0 days ago/],
    ['it does harm', { uplift: { value: -0.1, low: -0.2, high: -0.05, level: 0.9 } }, {}, /^negative effect/],
    ['its effect may be none', { uplift: { value: 0.1, low: 0, high: 0.2, level: 0.9 } }, {}, /^not proven/],
    ['it costs what it brings', { cost: 10 }, {}, /^not worth it/],
  ])('does nothing when %s, and says so', (_, offer, contact, because) => {
    const chosen = chooseNextAction(effects(anOffer(offer)), { ...free, ...contact });
    expect(chosen).toMatchObject({ action: 'none', channel: null, expectedNet: 0, uplift: { value: 0 } });
    expect(chosen.suppressed).toEqual([{ action: 'call', because: expect.stringMatching(because) }]);
  });

  it('contacts again once seven days have passed', () => {
    expect(chooseNextAction(effects(anOffer()), { ...free, daysSinceContact: 7 }).action).toBe('call');
  });

  it('calls sleeping dogs and sure things what they are', () => {
    const harm = anOffer({ uplift: { value: -0.1, low: -0.2, high: -0.05, level: 0.9 } });
    const unclear = anOffer({ uplift: { value: 0.01, low: -0.1, high: 0.1, level: 0.9 } });
    expect(chooseNextAction(effects(harm), free).segment).toBe('SLEEPING_DOG');
    expect(chooseNextAction(effects(unclear), free).segment).toBe('LOST_CAUSE');
    expect(chooseNextAction({ ...effects(unclear), without: 0.5 }, free).segment).toBe('SURE_THING');
  });

  it('names actions that no model ranks better than chance', () => {
    const refused = [{ id: 'fax', because: 'no model beats random targeting' }];
    const chosen = chooseNextAction({ ...effects(), refused }, free);
    expect(chosen).toMatchObject({
      action: 'none',
      suppressed: [{ action: 'fax', because: 'not proven: no model beats random targeting' }],
    });
  });
});
