/** The plan of an operation as the planner writes it: @graphql-hive/router-query-planner, without `@defer`. */
export interface QueryPlan {
  node?: PlanNode | null;
}

export type PlanNode =
  | FetchNode
  | BatchFetchNode
  | { kind: 'Sequence' | 'Parallel'; nodes: PlanNode[] }
  | { kind: 'Flatten'; path: PathSegment[]; node: PlanNode }
  | { kind: 'Condition'; condition: string; ifClause?: PlanNode | null; elseClause?: PlanNode | null }
  | { kind: 'Subscription'; primary: Omit<FetchNode, 'kind'> };

export interface Fetching {
  serviceName: string;
  /** names of the operation's variables that the fetch needs */
  variableUsages?: string[] | null;
  operationKind?: 'query' | 'mutation' | 'subscription' | null;
  operationName?: string | null;
  /** text of the operation for the subgraph */
  operation: string;
}

export interface FetchNode extends Fetching {
  kind: 'Fetch';
  requires?: Requirement[] | null;
  inputRewrites?: Rewrite[] | null;
  outputRewrites?: Rewrite[] | null;
}

export interface BatchFetchNode extends Fetching {
  kind: 'BatchFetch';
  entityBatch: { aliases: EntityAlias[] };
}

/** One `_entities` field of a batch, and where its entities stand. */
export interface EntityAlias {
  alias: string;
  representationsVariableName: string;
  paths: PathSegment[][];
  requires: Requirement[];
  inputRewrites?: Rewrite[] | null;
  outputRewrites?: Rewrite[] | null;
}

export type PathSegment = '@' | { Field: string } | { TypeCondition: string[] };

/** What of an entity its representation holds. */
export type Requirement =
  | { kind: 'Field'; name: string; alias?: string | null; selections?: Requirement[] | null }
  | { kind: 'InlineFragment'; typeCondition: string; selections: Requirement[] };

export interface Rewrite {
  ValueSetter?: { path: RewriteSegment[]; setValueTo: unknown };
  KeyRenamer?: { path: RewriteSegment[]; renameKeyTo: string };
}

export type RewriteSegment = { Key: string } | { TypenameEquals: string[] };
