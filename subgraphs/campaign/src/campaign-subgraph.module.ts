import { fileURLToPath } from 'node:url';
import type { Clock } from '@sextant/domain';
import { type DynamicModule, Module } from '@nestjs/common';
import { MongooseModule } from '@nestjs/mongoose';
import {
  dateTimeScalar,
  type Logger,
  mongoModule,
  type SubgraphConfig,
  subgraphGraphqlModule,
} from '@sextant/platform';
import { CampaignLoader } from './campaigns/campaign.loader.js';
import { CampaignRepository } from './campaigns/campaign.repository.js';
import { CampaignResolver } from './campaigns/campaign.resolver.js';
import { CAMPAIGN_MODEL, campaignSchema } from './campaigns/campaign.schema.js';
import { CampaignService } from './campaigns/campaign.service.js';
import { CatalogueService } from './catalogue/catalogue.service.js';
import { ProductLoader } from './catalogue/product.loader.js';
import { ProductRepository } from './catalogue/product.repository.js';
import { ProductResolver } from './catalogue/product.resolver.js';
import {
  PRICE_HISTORY_MODEL,
  priceHistorySchema,
  PRODUCT_MODEL,
  productSchema,
} from './catalogue/product.schema.js';
import { CLOCK } from './clock.js';
import { CustomerMessagesResolver } from './messages/customer-messages.resolver.js';
import { MessageRepository } from './messages/message.repository.js';
import { MessageResolver } from './messages/message.resolver.js';
import { MESSAGE_MODEL, messageSchema } from './messages/message.schema.js';
import { MessageService } from './messages/message.service.js';

const SCHEMA_FILES = fileURLToPath(new URL('../schema/*.graphql', import.meta.url));

@Module({})
export class CampaignSubgraphModule {
  static of(config: SubgraphConfig, { logger, clock }: { logger: Logger; clock: Clock }): DynamicModule {
    return {
      module: CampaignSubgraphModule,
      imports: [
        mongoModule(config),
        MongooseModule.forFeature([
          { name: PRODUCT_MODEL, schema: productSchema },
          { name: PRICE_HISTORY_MODEL, schema: priceHistorySchema },
          { name: CAMPAIGN_MODEL, schema: campaignSchema },
          { name: MESSAGE_MODEL, schema: messageSchema },
        ]),
        subgraphGraphqlModule({
          typePaths: [SCHEMA_FILES],
          scalars: { DateTime: dateTimeScalar },
          logger,
        }),
      ],
      providers: [
        { provide: CLOCK, useValue: clock },
        ...[ProductRepository, CatalogueService, ProductLoader, ProductResolver],
        ...[CampaignRepository, CampaignService, CampaignLoader, CampaignResolver],
        ...[MessageRepository, MessageService, MessageResolver, CustomerMessagesResolver],
      ],
    };
  }
}
