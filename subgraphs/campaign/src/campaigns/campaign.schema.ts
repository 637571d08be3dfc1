import { Schema } from 'mongoose';
import { moneySchema } from '../catalogue/product.schema.js';
import { type Campaign, CHANNELS, OBJECTIVES } from './campaign.js';

export const CAMPAIGN_MODEL = 'Campaign';

export interface CampaignDocument extends Omit<Campaign, 'id'> {
  tenantId: string;
  campaignId: string;
  idempotencyKey: string;
  /** SHA-256 of what the first call under the key asked for */
  requestHash: string;
}

export const campaignSchema = new Schema<CampaignDocument>(
  {
    tenantId: { type: String, required: true },
    campaignId: { type: String, required: true },
    name: { type: String, required: true },
    state: { type: String, required: true, enum: ['DRAFT'] },
    objective: { type: String, required: true, enum: OBJECTIVES },
    channel: { type: String, required: true, enum: CHANNELS },
    startAt: { type: Date, default: null },
    budget: { type: moneySchema, default: null },
    createdAt: { type: Date, required: true },
    idempotencyKey: { type: String, required: true },
    requestHash: { type: String, required: true },
  },
  { collection: 'campaigns', strict: 'throw', versionKey: false, autoIndex: false, autoCreate: false },
)
  .index({ tenantId: 1, campaignId: 1 }, { name: 'campaign_by_id', unique: true })
  .index({ tenantId: 1, idempotencyKey: 1 }, { name: 'one_campaign_a_key', unique: true })
  .index({ tenantId: 1, createdAt: -1, campaignId: -1 }, { name: 'newest_first' });
