import { Injectable, type OnModuleInit } from '@nestjs/common';
import { InjectModel } from '@nestjs/mongoose';
import { Model } from 'mongoose';
import type { TimeKey } from '../page.js';
import type { Campaign } from './campaign.js';
import { CAMPAIGN_MODEL, type CampaignDocument } from './campaign.schema.js';

@Injectable()
export class CampaignRepository implements OnModuleInit {
  constructor(@InjectModel(CAMPAIGN_MODEL) private readonly campaigns: Model<CampaignDocument>) {}

  async onModuleInit(): Promise<void> {
    await this.campaigns.createIndexes();
  }

  async findByIds(tenantId: string, ids: readonly string[]): Promise<Campaign[]> {
    const rows = await this.campaigns.find({ tenantId, campaignId: { $in: ids } }).lean();
    return rows.map(asCampaign);
  }

  /** Up to `limit` campaigns, newest first, behind the given one. */
  async list(tenantId: string, page: { after?: TimeKey; limit: number }): Promise<Campaign[]> {
    const { after } = page;
    const behind = after && {
      $or: [{ createdAt: { $lt: after.at } }, { createdAt: after.at, campaignId: { $lt: after.id } }],
    };
    const rows = await this.campaigns
      .find({ tenantId, ...behind })
      .sort({ createdAt: -1, campaignId: -1 })
      .limit(page.limit)
      .lean();
    return rows.map(asCampaign);
  }

  /** Stores the campaign unless its key was used; answers with what the key stands for, in one atomic step. */
  async insertOnce(
    tenantId: string,
    { id, ...campaign }: Campaign,
    key: { idempotencyKey: string; requestHash: string },
  ): Promise<{ campaign: Campaign; requestHash: string }> {
    const row = await this.campaigns
      .findOneAndUpdate(
        { tenantId, idempotencyKey: key.idempotencyKey },
        { $setOnInsert: { ...campaign, campaignId: id, requestHash: key.requestHash } },
        { upsert: true, returnDocument: 'after' },
      )
      .lean()
      .orFail();
    return { campaign: asCampaign(row), requestHash: row.requestHash };
  }
}

function asCampaign({
  campaignId,
  name,
  state,
  objective,
  channel,
  startAt,
  budget,
  createdAt,
}: CampaignDocument): Campaign {
  return { id: campaignId, name, state, objective, channel, startAt, budget, createdAt };
}
