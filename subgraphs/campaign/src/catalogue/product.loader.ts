import type { MinorMoney } from '@sextant/domain';
import { Injectable } from '@nestjs/common';
import { RequestLoaders } from '@sextant/platform';
import { CatalogueService } from './catalogue.service.js';
import type { Product } from './product.js';

/** Products and their lowest prices, gathered within one request into one read each. */
@Injectable()
export class ProductLoader {
  readonly byId: RequestLoaders<string, Product | null>;
  readonly lowestPrice: RequestLoaders<Product, MinorMoney | null>;

  constructor(catalogue: CatalogueService) {
    this.byId = new RequestLoaders(
      (tenantId, ids) => catalogue.findByIds(tenantId, ids),
      (id) => id,
    );
    this.lowestPrice = new RequestLoaders(
      (tenantId, products) => catalogue.lowestPrices(tenantId, products),
      ({ id }) => id,
    );
  }
}
