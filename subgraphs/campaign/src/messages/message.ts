import { checkLength } from '../catalogue/product.js';
import type { Channel } from '../campaigns/campaign.js';

/** One message to one customer, as sent. */
export interface Message {
  id: string;
  customerId: string;
  /** null outside any campaign */
  campaignId: string | null;
  channel: Channel;
  sentAt: Date;
  subject: string | null;
}

export interface MessageInput {
  id: string;
  customerId: string;
  campaignId?: string | null;
  channel: Channel;
  sentAt: Date;
  subject?: string | null;
}

/** @throws DomainError INVALID_INPUT whose path is the field within the row */
export function readMessageInput({
  id,
  customerId,
  campaignId = null,
  channel,
  sentAt,
  subject = null,
}: MessageInput): Message {
  checkLength(id, 'id', { min: 1, max: 128 });
  checkLength(customerId, 'customerId', { min: 1, max: 128 });
  if (subject !== null) checkLength(subject, 'subject', { min: 0, max: 500 });
  return { id, customerId, campaignId, channel, sentAt, subject };
}
