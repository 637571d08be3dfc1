import { DomainError, type NodeKey, parseNodeId } from '@sextant/domain';
import type { RequestContext } from '@sextant/platform';
import { Args, Context, Query, Resolver } from '@nestjs/graphql';
import { DecisionResolver } from '../decision/decision.resolver.js';
import { checkIds, checkText } from '../input-checks.js';
import { LoaderRegistry } from '../request-loaders.js';
import { JobNodes } from './job-nodes.js';
import { OwnedNodes } from './owned-nodes.client.js';

/** What the field that a type is usually asked for by needs: `node` is no way around it. */
const SCOPES = {
  Customer: 'customer:read',
  Account: 'customer:read',
  Segment: 'segment:read',
  Product: 'catalogue:read',
  Campaign: 'campaign:read',
  DecisionRecord: 'decision:read',
  TrainingJob: 'model:read',
  BatchJob: 'model:read',
  ModelVersion: 'model:read',
  ModelImport: 'model:read',
} as const;
type NodeType = keyof typeof SCOPES;

const NODE_TYPES = Object.keys(SCOPES) as readonly NodeType[];
const MAX_NODES = 100;

/** An object with the name of its type, by which the interface is resolved. */
interface TypedNode {
  __typename: NodeType;
}

@Resolver()
export class NodeResolver {
  constructor(
    private readonly decisions: DecisionResolver,
    private readonly jobs: JobNodes,
    private readonly owned: OwnedNodes,
    private readonly loaders: LoaderRegistry,
  ) {}

  @Query()
  node(@Args('id') nodeId: string, @Context() context: RequestContext): Promise<TypedNode | null> {
    return this.find(nodeId, context);
  }

  @Query()
  nodes(@Args('ids') nodeIds: string[], @Context() context: RequestContext): Promise<TypedNode | null>[] {
    return checkIds(nodeIds, 'ids', MAX_NODES).map((nodeId) => this.find(nodeId, context));
  }

  private async find(nodeId: string, context: RequestContext): Promise<TypedNode | null> {
    const { type: __typename, id } = knownKey(parseNodeId(nodeId));
    const scope = SCOPES[__typename];
    if (!context.identity.scopes.includes(scope))
      throw new DomainError('FORBIDDEN', `${__typename} by node needs the scope ${scope}`);
    const found = await this.load(__typename, checkText(id, 'id'), context);
    return found && { ...found, __typename };
  }

  /** Of the types that other subgraphs own no more than the id, where they say that it is there. */
  private async load(type: NodeType, id: string, context: RequestContext): Promise<object | null> {
    switch (type) {
      case 'DecisionRecord':
        return this.decisions.decision(id, context);
      case 'ModelVersion':
        return this.loaders.of(context).versions.load(id);
      case 'TrainingJob':
      case 'BatchJob':
      case 'ModelImport':
        return this.jobs.find(type, context.identity.tenantId, id);
      default:
        return (await this.owned.isThere(context, type, id)) ? { id } : null;
    }
  }
}

function knownKey({ type, id }: NodeKey): { type: NodeType; id: string } {
  const known = NODE_TYPES.find((name) => name === type);
  if (known) return { type: known, id };
  throw new DomainError('INVALID_INPUT', `there is no node of the type ${type}`, { path: 'id' });
}
