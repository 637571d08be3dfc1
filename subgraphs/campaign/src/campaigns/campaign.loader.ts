import { Injectable } from '@nestjs/common';
import { RequestLoaders } from '@sextant/platform';
import type { Campaign } from './campaign.js';
import { CampaignService } from './campaign.service.js';

/** Campaigns gathered within one request into one read. */
@Injectable()
export class CampaignLoader {
  readonly byId: RequestLoaders<string, Campaign | null>;

  constructor(campaigns: CampaignService) {
    this.byId = new RequestLoaders(
      (tenantId, ids) => campaigns.findByIds(tenantId, ids),
      (id) => id,
    );
  }
}
