import { modelName } from '@sextant/artefacts';
import { type DecimalMoney, DomainError, fromMajor } from '@sextant/domain';
import { type CustomerState, DAY_MS, type FeatureVector, featureVector } from '@sextant/features';
import { type ChooseActionsResponse, readFloat64, toFeatureTable } from '@sextant/inference-protocol';
import { type Budget, remainingMs } from '../decision/budget.js';
import type { DecisionEnvelope, ServedBy } from '../decision/decision.js';
import type { DecisionWriter } from '../decision/decision-writer.js';
import { type Climb, type Ladder, type Rated, ruleReference } from '../decision/ladder.js';
import { type InferenceService, soleSubject } from '../inference/inference.service.js';
import {
  type ActionEffects,
  type ChosenAction,
  chooseNextAction,
  type ContactState,
  noAction,
} from './choose-next-action.js';

export interface ActionQuestion {
  customerId: string;
  goal: string;
  budget: Budget;
}

export interface NextAction extends DecisionEnvelope, Omit<ChosenAction, 'expectedNet' | 'propensity'> {
  expectedNet: DecimalMoney;
}

/** What an action is chosen from, as the log keeps it. */
export interface ActionInput {
  features: FeatureVector;
  contact: ContactState;
}

interface Asked extends ActionInput {
  question: ActionQuestion;
}

export interface NextActionParts {
  inference: InferenceService;
  ladder: Ladder;
  writer: DecisionWriter;
}

export const NO_ACTION_RULE = 'heuristic.no-action@1';
/** Of outcomes that name none. */
const DEFAULT_CURRENCY = 'EUR';
const NOT_SERVED = { device: 'NONE', rung: 'HEURISTIC', queueMs: 0, computeMs: 0, batchSize: 0 } as const;

/** Next best action of any number of one tenant's customers: one call to the worker. */
export class NextActionService {
  constructor(private readonly parts: NextActionParts) {}

  /** @param states  in the order of the questions; an error where there is none */
  async answer(
    tenantId: string,
    questions: readonly ActionQuestion[],
    states: readonly (CustomerState | Error)[],
  ): Promise<(NextAction | Error)[]> {
    const now = this.parts.writer.now();
    const asked = questions.flatMap((question, i): Asked[] => {
      const state = states[i];
      if (state === undefined || state instanceof Error) return [];
      return [{ question, features: featureVector(state, now), contact: contactOf(state, now) }];
    });
    const rated = await this.parts.ladder.climb(this.climb(tenantId, asked));
    const answers = new Map(asked.map((each, i) => [each.question, { each, answer: rated[i] }]));
    return questions.map((question, i) => {
      const state = states[i] ?? new RangeError('a customer was not read');
      if (state instanceof Error) return this.unread(tenantId, question, state);
      const found = answers.get(question);
      if (found?.answer === undefined) return new RangeError('a question was lost');
      if (found.answer instanceof Error) return found.answer;
      return this.decide(tenantId, found.each, found.answer);
    });
  }

  /** Whether the customer may be contacted is not known, so they are not. */
  private unread(tenantId: string, question: ActionQuestion, reason: Error): NextAction | Error {
    if (!(reason instanceof DomainError) || reason.code === 'CUSTOMER_NOT_FOUND') return reason;
    const servedBy: ServedBy = {
      ...NOT_SERVED,
      fallbackReason: reason.code,
    };
    const rated = { answer: null, model: ruleReference(NO_ACTION_RULE), servedBy };
    return this.record(tenantId, { question, input: null }, { rated, chosen: noAction(), currency: '' });
  }

  private climb(tenantId: string, questions: readonly Asked[]): Climb<Asked, ActionEffects | null> {
    return {
      kind: 'uplift',
      tenantId,
      questions,
      keyOf: ({ question }) => actionQuestionKey(question),
      askModel: async (asked) => {
        const response = await this.parts.inference.chooseActions(
          {
            model: modelName(tenantId, 'uplift'),
            rows: toFeatureTable(asked.map(({ features }) => features)),
          },
          {
            tenantId,
            deadlineMs: remainingMs(asked.map(({ question }) => question.budget)),
            subject: soleSubject(asked.map(({ question }) => question.customerId)),
          },
        );
        return { servedBy: response.servedBy, answers: effectsOf(response) };
      },
      heuristic: () => ({ modelId: NO_ACTION_RULE, answer: null }),
    };
  }

  private decide(
    tenantId: string,
    { question, features, contact }: Asked,
    rated: Rated<ActionEffects | null>,
  ): NextAction | Error {
    const effects = rated.answer;
    if (effects !== null && effects.goal !== question.goal)
      return new DomainError(
        'INVALID_INPUT',
        `actions were learnt for the goal "${effects.goal}", not for "${question.goal.slice(0, 40)}": ask with goal "${effects.goal}"`,
        { path: 'goal' },
      );
    const chosen = effects === null ? noAction() : chooseNextAction(effects, contact);
    return this.record(
      tenantId,
      { question, input: { features, contact } },
      { rated, chosen, currency: effects?.currency ?? '' },
    );
  }

  private record(
    tenantId: string,
    { question, input }: { question: ActionQuestion; input: ActionInput | null },
    { rated, chosen, currency }: { rated: Rated<unknown>; chosen: ChosenAction; currency: string },
  ): NextAction {
    const { propensity, ...output } = chosen;
    const { writer } = this.parts;
    const envelope = writer.finish(
      writer.begin(),
      { ...rated, attribution: null },
      {
        content: {
          tenantId,
          kind: 'uplift',
          subject: question.customerId,
          customerId: question.customerId,
          input,
          propensity,
        },
        output: { ...output, goal: question.goal },
      },
    );
    const expectedNet = fromMajor(output.expectedNet, currency || DEFAULT_CURRENCY);
    return { ...envelope, ...output, expectedNet };
  }
}

/** Distinguishes questions inside one tenant. */
export function actionQuestionKey({ customerId, goal }: ActionQuestion): string {
  return `${goal} ${customerId}`;
}

/** The trait `newsletter` is what the customer said of mails; newsletters are no contact, actions of campaigns are. */
function contactOf({ traits, contactedAt }: CustomerState, now: Date): ContactState {
  const said = traits['newsletter'];
  return {
    takesMails: typeof said === 'boolean' ? said : null,
    daysSinceContact: contactedAt === null ? null : Math.max(0, now.getTime() - contactedAt) / DAY_MS,
  };
}

export function effectsOf(response: ChooseActionsResponse): ActionEffects[] {
  const { actions, refused, intervalLevel: level, goal, sureFrom, outcomeValue, currency } = response;
  const [uplift, low, high] = [
    readFloat64(response.uplift),
    readFloat64(response.upliftLow),
    readFloat64(response.upliftHigh),
  ];
  return Array.from(readFloat64(response.without), (without, row) => ({
    ...{ goal, without, sureFrom, outcomeValue, currency, refused },
    actions: actions.map(({ id, channel, cost }, a) => {
      const at = row * actions.length + a;
      const value = uplift[at] ?? 0;
      return {
        id,
        channel: channel || null,
        cost,
        uplift: { value, low: low[at] ?? value, high: high[at] ?? value, level },
      };
    }),
  }));
}
