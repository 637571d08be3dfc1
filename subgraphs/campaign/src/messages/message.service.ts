import { checkPageSize, DomainError, type Page, pageOf } from '@sextant/domain';
import { Injectable } from '@nestjs/common';
import { CampaignService } from '../campaigns/campaign.service.js';
import { decodeTimeCursor, timeKey } from '../page.js';
import { readRows, type UserError } from '../row-errors.js';
import { type Message, type MessageInput, readMessageInput } from './message.js';
import { MessageRepository } from './message.repository.js';

const MAX_MESSAGES_PER_CALL = 1_000;
const MAX_PAGE = 100;

@Injectable()
export class MessageService {
  constructor(
    private readonly repository: MessageRepository,
    private readonly campaigns: CampaignService,
  ) {}

  async list(
    tenantId: string,
    page: { customerId: string; first: number; after?: string | null },
  ): Promise<Page<Message>> {
    const limit = checkPageSize(page.first, MAX_PAGE);
    const rows = await this.repository.list(tenantId, {
      customerId: page.customerId,
      limit: limit + 1,
      ...(page.after != null && { after: decodeTimeCursor(page.after) }),
    });
    return pageOf(rows, { limit, after: page.after, keyOf: ({ sentAt, id }) => timeKey({ at: sentAt, id }) });
  }

  /** @throws DomainError BATCH_TOO_LARGE */
  async record(
    tenantId: string,
    inputs: readonly MessageInput[],
  ): Promise<{ recorded: number; duplicates: number; userErrors: UserError[] }> {
    const known = await this.knownCampaigns(tenantId, inputs);
    const { rows, userErrors } = readRows(inputs, {
      list: 'messages',
      max: MAX_MESSAGES_PER_CALL,
      idOf: ({ id }) => id,
      read: (input) => checkCampaign(readMessageInput(input), known),
    });
    const recorded = await this.repository.insertNew(tenantId, rows);
    return { recorded, duplicates: rows.length - recorded, userErrors };
  }

  private async knownCampaigns(
    tenantId: string,
    inputs: readonly MessageInput[],
  ): Promise<ReadonlySet<string>> {
    const named = new Set(
      inputs.slice(0, MAX_MESSAGES_PER_CALL).flatMap(({ campaignId }) => campaignId ?? []),
    );
    if (named.size === 0) return named;
    const found = await this.campaigns.findByIds(tenantId, [...named]);
    return new Set(found.flatMap((campaign) => campaign?.id ?? []));
  }
}

function checkCampaign(message: Message, known: ReadonlySet<string>): Message {
  if (message.campaignId === null || known.has(message.campaignId)) return message;
  throw new DomainError('CAMPAIGN_NOT_FOUND', `no campaign ${message.campaignId}: create it first`, {
    path: 'campaignId',
  });
}
