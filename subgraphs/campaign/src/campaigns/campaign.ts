import { createHash, randomBytes } from 'node:crypto';
import { type DecimalMoney, DomainError, type MinorMoney } from '@sextant/domain';
import { checkLength, readMoney } from '../catalogue/product.js';

export const CHANNELS = ['EMAIL', 'PUSH', 'SMS', 'WEB', 'ADS', 'SALES'] as const;
export const OBJECTIVES = ['CONVERSION', 'REVENUE', 'RETENTION', 'ENGAGEMENT', 'LEAD'] as const;
export type Channel = (typeof CHANNELS)[number];
export type Objective = (typeof OBJECTIVES)[number];

export interface Campaign {
  id: string;
  name: string;
  state: 'DRAFT';
  objective: Objective;
  channel: Channel;
  startAt: Date | null;
  budget: MinorMoney | null;
  createdAt: Date;
}

export interface CampaignInput {
  name: string;
  objective: Objective;
  channel: Channel;
  startAt?: Date | null;
  budget?: DecimalMoney | null;
  idempotencyKey: string;
}

/**
 * A new campaign from what a client asked for.
 *
 * @throws DomainError INVALID_INPUT or INVALID_MONEY whose path is the input field
 */
export function draftCampaign(input: CampaignInput, createdAt: Date): Campaign {
  checkLength(input.name, 'name', { min: 1, max: 200 });
  checkLength(input.idempotencyKey, 'idempotencyKey', { min: 1, max: 128 });
  const { name, objective, channel, startAt = null } = input;
  const budget = input.budget ? readMoney(input.budget, 'budget') : null;
  if (budget && budget.amountMinor <= 0)
    throw new DomainError('INVALID_MONEY', 'budget must be more than nothing', { path: 'budget' });
  return {
    id: `cmp_${randomBytes(12).toString('hex')}`,
    name,
    state: 'DRAFT',
    objective,
    channel,
    startAt,
    budget,
    createdAt,
  };
}

/** Tells whether two requests under one idempotency key ask for the same campaign. */
export function requestHashOf({ name, objective, channel, startAt, budget }: Campaign): string {
  const asked = [
    name,
    objective,
    channel,
    startAt?.getTime() ?? null,
    budget?.amountMinor ?? null,
    budget?.currency ?? null,
  ];
  return createHash('sha256').update(JSON.stringify(asked)).digest('hex');
}
