import type { Identity } from '@sextant/domain';
import { type AskedEntities, SignedServer } from './signed-server.fixture.js';

/** Says which entities there are, as the subgraph of its name does. */
export class FixtureNeighbour extends SignedServer<{ __typename: string; id: string }> {
  /** `Type id` of tenant demo */
  readonly known = new Set<string>();
  /** who asked, and for how many at once */
  readonly asked: { identity: Identity; count: number }[] = [];

  protected override entitiesOf({
    identity,
    representations,
  }: AskedEntities<{ __typename: string; id: string }>): (object | null)[] {
    this.asked.push({ identity, count: representations.length });
    return representations.map(({ __typename, id }) =>
      identity.tenantId === 'demo' && this.known.has(`${__typename} ${id}`) ? { __typename } : null,
    );
  }
}
