import { DomainError } from '@sextant/domain';
import { ParseIntPipe } from '@nestjs/common';
import { Args, Context, Parent, Query, ResolveField, ResolveReference, Resolver } from '@nestjs/graphql';
import type { RequestContext } from '../scope-enforcement.js';

export const SDL = `
  extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key", "@requiresScopes"])
  type Query { pause: Int @requiresScopes(scopes: [["a"]]) }
  type Product @key(fields: "id") { id: ID! label(suffix: String): String whose: String piped(size: Int!): String loose: String }
`;

/** What `Query.pause` waits for, and whether it was asked. */
export const pause = { isAsked: false, gate: Promise.withResolvers<number>() };

@Resolver('Product')
export class ProductResolver {
  private readonly prefix = 'the ';

  @Query()
  pause(): Promise<number> {
    pause.isAsked = true;
    return pause.gate.promise;
  }

  @ResolveReference()
  resolveReference({ id }: { id: string }): { id: string } | null | Promise<{ id: string }> {
    if (id === 'late') return Promise.resolve({ id });
    if (id === 'broken') throw new DomainError('PRODUCT_NOT_FOUND', `there is no ${id}`);
    if (id === 'rejected') return Promise.reject(new DomainError('PRODUCT_NOT_FOUND', `there is no ${id}`));
    return id === 'unknown' ? null : Object.freeze({ id });
  }

  @ResolveField()
  label(@Parent() { id }: { id: string }, @Args('suffix') suffix: string): string {
    return `${this.prefix}${id}${suffix}`;
  }

  @ResolveField('whose')
  ownerOf(@Context() { identity }: RequestContext): string {
    return identity.tenantId;
  }

  @ResolveField()
  piped(@Args('size', ParseIntPipe) size: number): string {
    return `${typeof size} ${size}`;
  }
}
