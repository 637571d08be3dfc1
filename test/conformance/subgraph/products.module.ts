import { type DynamicModule, Module } from '@nestjs/common';
import { Args, Parent, Query, ResolveField, ResolveReference, Resolver } from '@nestjs/graphql';
import { createLogger, subgraphGraphqlModule } from '@sextant/platform';

/** The data that the suite expects of every implementation (its COMPATIBILITY.md). */
const DIMENSIONS = { size: 'small', weight: 1, unit: 'kg' };
const USER = { email: 'support@apollographql.com', name: 'Jane Smith', totalProductsCreated: 1337 };
const DEPRECATED = {
  sku: 'apollo-federation-v1',
  package: '@apollo/federation-v1',
  reason: 'Migrate to Federation V2',
};
const STUDIES = [
  { study: { caseNumber: '1234', description: 'Federation Study' }, outcome: null },
  { study: { caseNumber: '1235', description: 'Studio Study' }, outcome: null },
];
const PRODUCTS = [
  {
    ...{ id: 'apollo-federation', sku: 'federation', package: '@apollo/federation' },
    ...{ variation: { id: 'OSS' }, research: STUDIES.slice(0, 1), notes: null },
  },
  {
    ...{ id: 'apollo-studio', sku: 'studio', package: '' },
    ...{ variation: { id: 'platform' }, research: STUDIES.slice(1), notes: null },
  },
];

type Product = (typeof PRODUCTS)[number];
type ProductReference = { id?: string; sku?: string; package?: string; variation?: { id: string } };
type Deprecated = Pick<typeof DEPRECATED, 'sku' | 'package'>;

@Resolver('Product')
class ProductResolver {
  @Query()
  product(@Args('id') id: string): Product | undefined {
    return PRODUCTS.find((product) => product.id === id);
  }

  @ResolveReference()
  resolveReference(reference: ProductReference): Product | undefined {
    return PRODUCTS.find(
      (product) =>
        product.id === reference.id ||
        (product.sku === reference.sku &&
          (product.package === reference.package || product.variation.id === reference.variation?.id)),
    );
  }

  @ResolveField()
  dimensions(): typeof DIMENSIONS {
    return DIMENSIONS;
  }

  @ResolveField()
  createdBy(): typeof USER {
    return USER;
  }
}

@Resolver('DeprecatedProduct')
class DeprecatedProductResolver {
  @Query()
  deprecatedProduct(@Args() wanted: Deprecated): typeof DEPRECATED | null {
    return wanted.sku === DEPRECATED.sku && wanted.package === DEPRECATED.package ? DEPRECATED : null;
  }

  @ResolveReference()
  resolveReference(reference: Deprecated): typeof DEPRECATED | null {
    return this.deprecatedProduct(reference);
  }

  @ResolveField()
  createdBy(): typeof USER {
    return USER;
  }
}

@Resolver('ProductResearch')
class ProductResearchResolver {
  @ResolveReference()
  resolveReference({ study }: { study: { caseNumber: string } }): (typeof STUDIES)[number] | undefined {
    return STUDIES.find((research) => research.study.caseNumber === study.caseNumber);
  }
}

@Resolver('User')
class UserResolver {
  @ResolveReference()
  resolveReference(reference: { email: string }): object {
    return { ...USER, ...reference };
  }

  @ResolveField()
  averageProductsCreatedPerYear(
    @Parent() user: { totalProductsCreated: number; yearsOfEmployment: number },
  ): number {
    return Math.round(user.totalProductsCreated / user.yearsOfEmployment);
  }
}

@Resolver('Inventory')
class InventoryResolver {
  @ResolveReference()
  resolveReference({ id }: { id: string }): object | null {
    return id === 'apollo-oss' ? { id, deprecatedProducts: [DEPRECATED] } : null;
  }
}

/** The suite's products subgraph, by the module that all subgraphs of the product are made with. */
@Module({})
export class ProductsModule {
  /** @param schema  file of the suite's products.graphql */
  static over(schema: string): DynamicModule {
    return {
      module: ProductsModule,
      imports: [
        subgraphGraphqlModule({
          typePaths: [schema],
          scalars: {},
          unstatedRoots: 'open',
          logger: createLogger('products', 'error'),
        }),
      ],
      providers: [
        ProductResolver,
        DeprecatedProductResolver,
        ProductResearchResolver,
        UserResolver,
        InventoryResolver,
      ],
    };
  }
}
