import { ResolveReference, Resolver } from '@nestjs/graphql';
import { checkText } from '../input-checks.js';

/** Customers belong to another subgraph; whether this tenant has one shows when a field of it is read. */
@Resolver('Customer')
export class CustomerEntityResolver {
  @ResolveReference()
  resolveReference({ id }: { id: string }): { id: string } {
    return { id: checkText(id, 'id') };
  }
}

/** Products belong to another subgraph; the catalogue is asked when a price is. */
@Resolver('Product')
export class ProductEntityResolver {
  @ResolveReference()
  resolveReference({ id }: { id: string }): { id: string } {
    return { id: checkText(id, 'id') };
  }
}
