import { type DecimalMoney, type MinorMoney, toDecimal, type Page } from '@sextant/domain';
import {
  Args,
  Context,
  Mutation,
  Parent,
  Query,
  ResolveField,
  ResolveReference,
  Resolver,
} from '@nestjs/graphql';
import type { RequestContext } from '@sextant/platform';
import type { UserError } from '../row-errors.js';
import { CatalogueService } from './catalogue.service.js';
import type { Product, ProductInput } from './product.js';
import { ProductLoader } from './product.loader.js';

interface PageArguments {
  first: number;
  after?: string | null;
  filter?: { category?: string | null } | null;
}

@Resolver('Product')
export class ProductResolver {
  constructor(
    private readonly catalogue: CatalogueService,
    private readonly loader: ProductLoader,
  ) {}

  @Query()
  product(@Args('id') id: string, @Context() context: RequestContext): Promise<Product | null> {
    return this.loader.byId.load(context, id);
  }

  @Query()
  products(
    @Args() { first, after, filter }: PageArguments,
    @Context() context: RequestContext,
  ): Promise<Page<Product>> {
    return this.catalogue.list(context.identity.tenantId, {
      first,
      after: after ?? null,
      category: filter?.category ?? null,
    });
  }

  @Mutation()
  upsertProducts(
    @Args('products') products: ProductInput[],
    @Context() context: RequestContext,
  ): Promise<{ upserted: number; userErrors: UserError[] }> {
    return this.catalogue.upsert(context.identity.tenantId, products);
  }

  @ResolveReference()
  resolveReference(reference: { id: string }, context: RequestContext): Promise<Product | null> {
    return this.loader.byId.load(context, reference.id);
  }

  @ResolveField()
  listPrice(@Parent() { listPrice }: Product): DecimalMoney | null {
    return decimalOrNull(listPrice);
  }

  @ResolveField()
  cost(@Parent() { cost }: Product): DecimalMoney | null {
    return decimalOrNull(cost);
  }

  @ResolveField()
  async lowestPrice30d(
    @Parent() product: Product,
    @Context() context: RequestContext,
  ): Promise<DecimalMoney | null> {
    return decimalOrNull(await this.loader.lowestPrice.load(context, product));
  }
}

function decimalOrNull(money: MinorMoney | null): DecimalMoney | null {
  return money && toDecimal(money);
}
