import { type DecisionKind, type LoggedDecision } from '@sextant/decision-log';
import { DomainError } from '@sextant/domain';
import type { RequestContext } from '@sextant/platform';
import { Args, Context, Parent, Query, ResolveField, Resolver } from '@nestjs/graphql';
import DataLoader from 'dataloader';
import { type DecisionRecord, SCOPE_OF_KIND, toRecord } from '../decision/decision.resolver.js';
import { DEVICES } from '../decision/decision.js';
import { checkInteger, checkText } from '../input-checks.js';
import { DecisionReplays, type Replay } from './decision-replays.js';
import { RequestBudget } from './request-budget.js';
import { WindowReplays, type WindowSummary } from './window-replays.js';

const MAX_REPLAYS = 100;
const DEADLINE_MS = 8_000;
const MAX_WINDOW_ROWS = 10_000;
const ROWS = { min: 1, max: MAX_WINDOW_ROWS } as const;

interface ShownReplay extends Replay {
  device: string;
}

interface WindowArgs {
  modelVersion: string;
  from: Date;
  to: Date;
  first: number | null;
}

interface ShownSummary extends Omit<WindowSummary, 'differing'> {
  differing: DecisionRecord[];
}

@Resolver('DecisionRecord')
export class ReplayResolver {
  private readonly loaders = new WeakMap<RequestContext, DataLoader<LoggedDecision, Replay, string>>();
  private readonly budget = new RequestBudget(MAX_REPLAYS, 'replays');
  private readonly rows = new RequestBudget(MAX_WINDOW_ROWS, 'decisions of windows to be made again');

  constructor(
    private readonly replays: DecisionReplays,
    private readonly windows: WindowReplays,
  ) {}

  @ResolveField()
  async replay(
    @Parent() { logged }: DecisionRecord,
    @Context() context: RequestContext,
  ): Promise<ShownReplay> {
    const replay = await this.loaderOf(context).load(logged);
    return {
      ...replay,
      device: shownDevice(replay.device) ?? 'NONE',
      loggedDevice: shownDevice(replay.loggedDevice),
    };
  }

  @Query()
  async replayDecisions(@Args() args: WindowArgs, @Context() context: RequestContext): Promise<ShownSummary> {
    const { identity } = context;
    const first = checkInteger(args.first ?? 1_000, 'first', ROWS);
    const modelVersion = checkText(args.modelVersion, 'modelVersion', 256);
    this.rows.spend(context, first);
    const { differing, ...summary } = await this.windows.replay(
      identity.tenantId,
      { modelVersion, from: args.from, to: args.to },
      { first, deadlineMs: DEADLINE_MS, assertReadable: (kind) => assertReadable(kind, identity.scopes) },
    );
    return { ...summary, differing: differing.map(toRecord) };
  }

  /** Decisions that a request asks for several times are made again once. */
  private loaderOf(context: RequestContext): DataLoader<LoggedDecision, Replay, string> {
    const known = this.loaders.get(context);
    if (known) return known;
    const { tenantId } = context.identity;
    const loader = new DataLoader<LoggedDecision, Replay, string>(
      async (decisions) => {
        this.budget.spend(context, decisions.length);
        return this.replays.replay(tenantId, decisions, DEADLINE_MS);
      },
      { cacheKeyFn: ({ id }) => id, batchScheduleFn: (dispatch) => void setImmediate(dispatch) },
    );
    this.loaders.set(context, loader);
    return loader;
  }
}

/** An output says what its own field would have said. */
function assertReadable(kind: DecisionKind, scopes: readonly string[]): void {
  const scope = SCOPE_OF_KIND[kind];
  if (!scopes.includes(scope)) {
    throw new DomainError('FORBIDDEN', `decisions of kind ${kind} need the scope ${scope}`);
  }
}

/** A worker newer than this process may compute on what the graph does not know yet. */
function shownDevice(device: string | null): string | null {
  if (device === null) return null;
  return DEVICES.find((known) => known === device) ?? 'GPU';
}
