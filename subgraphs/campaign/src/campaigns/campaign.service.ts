import { checkPageSize, type Clock, DomainError, type Page, pageOf } from '@sextant/domain';
import { Inject, Injectable } from '@nestjs/common';
import { CLOCK } from '../clock.js';
import { decodeTimeCursor, timeKey } from '../page.js';
import { asUserError, type UserError } from '../row-errors.js';
import { type Campaign, type CampaignInput, draftCampaign, requestHashOf } from './campaign.js';
import { CampaignRepository } from './campaign.repository.js';

const MAX_PAGE = 100;

@Injectable()
export class CampaignService {
  constructor(
    private readonly repository: CampaignRepository,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /** One campaign or null for each id, in the order of the ids. */
  async findByIds(tenantId: string, ids: readonly string[]): Promise<(Campaign | null)[]> {
    const campaigns = await this.repository.findByIds(tenantId, ids);
    const byId = new Map(campaigns.map((campaign) => [campaign.id, campaign]));
    return ids.map((id) => byId.get(id) ?? null);
  }

  async list(tenantId: string, page: { first: number; after?: string | null }): Promise<Page<Campaign>> {
    const limit = checkPageSize(page.first, MAX_PAGE);
    const rows = await this.repository.list(tenantId, {
      limit: limit + 1,
      ...(page.after != null && { after: decodeTimeCursor(page.after) }),
    });
    return pageOf(rows, {
      limit,
      after: page.after,
      keyOf: ({ createdAt, id }) => timeKey({ at: createdAt, id }),
    });
  }

  /** The campaign of this idempotency key, made now or earlier; a userError when the input is wrong or the key means another one. */
  async create(
    tenantId: string,
    input: CampaignInput,
  ): Promise<{ campaign: Campaign | null; userErrors: UserError[] }> {
    try {
      return { campaign: await this.createOnce(tenantId, input), userErrors: [] };
    } catch (error) {
      if (!(error instanceof DomainError)) throw error;
      return { campaign: null, userErrors: [asUserError(error, 'input')] };
    }
  }

  private async createOnce(tenantId: string, input: CampaignInput): Promise<Campaign> {
    const drafted = draftCampaign(input, this.clock.now());
    const requestHash = requestHashOf(drafted);
    const stored = await this.repository.insertOnce(tenantId, drafted, {
      idempotencyKey: input.idempotencyKey,
      requestHash,
    });
    if (stored.requestHash === requestHash) return stored.campaign;
    throw new DomainError(
      'IDEMPOTENCY_CONFLICT',
      'this idempotencyKey was used for another campaign: use a new key',
      { path: 'idempotencyKey' },
    );
  }
}
