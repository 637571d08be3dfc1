import { Injectable, type OnModuleInit } from '@nestjs/common';
import { InjectModel } from '@nestjs/mongoose';
import { Model } from 'mongoose';
import type { TimeKey } from '../page.js';
import type { Message } from './message.js';
import { MESSAGE_MODEL, type MessageDocument } from './message.schema.js';

/** One customer's page of messages, latest first. */
export interface MessageRange {
  customerId: string;
  after?: TimeKey;
  limit: number;
}

@Injectable()
export class MessageRepository implements OnModuleInit {
  constructor(@InjectModel(MESSAGE_MODEL) private readonly messages: Model<MessageDocument>) {}

  async onModuleInit(): Promise<void> {
    await this.messages.createIndexes();
  }

  async list(tenantId: string, { customerId, after, limit }: MessageRange): Promise<Message[]> {
    const behind = after && {
      $or: [{ sentAt: { $lt: after.at } }, { sentAt: after.at, messageId: { $lt: after.id } }],
    };
    const rows = await this.messages
      .find({ tenantId, customerId, ...behind })
      .sort({ sentAt: -1, messageId: -1 })
      .limit(limit)
      .lean();
    return rows.map(asMessage);
  }

  /** Stores what is not known yet by its id; returns how many that were. */
  async insertNew(tenantId: string, messages: readonly Message[]): Promise<number> {
    if (messages.length === 0) return 0;
    const result = await this.messages.bulkWrite(
      messages.map(({ id, ...message }) => ({
        updateOne: { filter: { tenantId, messageId: id }, update: { $setOnInsert: message }, upsert: true },
      })),
      { ordered: false },
    );
    return result.upsertedCount;
  }
}

function asMessage({
  messageId,
  customerId,
  campaignId,
  channel,
  sentAt,
  subject,
}: MessageDocument): Message {
  return { id: messageId, customerId, campaignId, channel, sentAt, subject };
}
