import { Schema } from 'mongoose';
import { CHANNELS } from '../campaigns/campaign.js';
import type { Message } from './message.js';

export const MESSAGE_MODEL = 'Message';

export interface MessageDocument extends Omit<Message, 'id'> {
  tenantId: string;
  messageId: string;
}

export const messageSchema = new Schema<MessageDocument>(
  {
    tenantId: { type: String, required: true },
    messageId: { type: String, required: true },
    customerId: { type: String, required: true },
    campaignId: { type: String, default: null },
    channel: { type: String, required: true, enum: CHANNELS },
    sentAt: { type: Date, required: true },
    subject: { type: String, default: null },
  },
  { collection: 'messages', strict: 'throw', versionKey: false, autoIndex: false, autoCreate: false },
)
  .index({ tenantId: 1, messageId: 1 }, { name: 'message_by_id', unique: true })
  .index({ tenantId: 1, customerId: 1, sentAt: -1, messageId: -1 }, { name: 'messages_to_customer' });
