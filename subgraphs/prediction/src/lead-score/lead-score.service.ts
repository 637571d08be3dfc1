import { modelName } from '@sextant/artefacts';
import { DomainError } from '@sextant/domain';
import type { CustomerState } from '@sextant/features';
import { type LeadScore, toFeatureTable } from '@sextant/inference-protocol';
import { type LeadInput, leadInputOf } from '../customer/customer-features.service.js';
import { type Budget, remainingMs } from '../decision/budget.js';
import type { DecisionEnvelope } from '../decision/decision.js';
import type { DecisionWriter } from '../decision/decision-writer.js';
import type { Climb, Ladder, Rated } from '../decision/ladder.js';
import type { InferenceService } from '../inference/inference.service.js';
import { ENGAGEMENT_RULE, scoreByEngagement } from './engagement-rule.js';
import { type Band, isBand, type Playbook, playbookFor } from './playbook.js';

export interface LeadQuestion {
  customerId: string;
  explain: boolean;
  budget: Budget;
}

export interface Score extends DecisionEnvelope {
  basis: LeadInput['basis'];
  probability: number;
  interval: { value: number; low: number; high: number; level: number };
  band: Band;
  percentile: number;
  playbook: Playbook | null;
}

interface Asked {
  question: LeadQuestion;
  input: LeadInput;
}

/** What is kept of an answer: the score and what it was about, since the CACHE rung may answer without the features. */
interface Answer {
  score: LeadScore;
  basis: LeadInput['basis'];
}

/** Scores for any number of one tenant's customers: one call to the worker. */
export class LeadScoreService {
  constructor(
    private readonly inference: InferenceService,
    private readonly ladder: Ladder,
    private readonly writer: DecisionWriter,
  ) {}

  /** @param states  in the order of the questions; an error where there is none */
  async answer(
    tenantId: string,
    questions: readonly LeadQuestion[],
    states: readonly (CustomerState | Error)[],
  ): Promise<(Score | Error)[]> {
    const now = this.writer.now();
    const inputs = states.map((state) => (state instanceof Error ? state : leadInputOf(state, now)));
    const asked = questions.flatMap((question, i) => {
      const input = inputs[i];
      return input === undefined || input instanceof Error ? [] : [{ question, input }];
    });
    const rated = await this.ladder.climb(this.climb(tenantId, asked));
    const answers = new Map(asked.map(({ question }, i) => [question, rated[i]]));
    return questions.map((question, i) => {
      const input = inputs[i] ?? new RangeError('a customer was not read');
      const answer =
        input instanceof Error ? this.answerUnread(tenantId, question, input) : answers.get(question);
      if (answer === undefined) return new RangeError('a question was lost');
      if (answer instanceof Error) return answer;
      return this.decide(tenantId, { question, input: input instanceof Error ? null : input }, answer);
    });
  }

  private answerUnread(tenantId: string, question: LeadQuestion, reason: Error): Rated<Answer> | Error {
    if (!(reason instanceof DomainError) || reason.code === 'CUSTOMER_NOT_FOUND') return reason;
    const input: LeadInput = { basis: 'BEHAVIOUR', features: {} };
    return this.ladder.findCached(this.climb(tenantId, []), { question, input }, reason.code) ?? reason;
  }

  private climb(tenantId: string, questions: readonly Asked[]): Climb<Asked, Answer> {
    return {
      kind: 'lead',
      tenantId,
      questions,
      keyOf: ({ question }) => question.customerId,
      askModel: async (asked) => {
        const response = await this.inference.scoreLeads(
          {
            model: modelName(tenantId, 'lead'),
            rows: toFeatureTable(asked.map(({ input }) => input.features)),
            explain: asked.some(({ question }) => question.explain),
          },
          remainingMs(asked.map(({ question }) => question.budget)),
        );
        const answers = response.scores.map((score, i) => ({
          score,
          basis: asked[i]?.input.basis ?? 'BEHAVIOUR',
        }));
        return { servedBy: response.servedBy, answers };
      },
      heuristic: ({ input }) => ({
        modelId: ENGAGEMENT_RULE,
        answer: { score: scoreByEngagement(input.features), basis: input.basis },
      }),
    };
  }

  private decide(
    tenantId: string,
    { question, input }: { question: LeadQuestion; input: LeadInput | null },
    rated: Rated<Answer>,
  ): Score {
    const { score, basis } = rated.answer;
    const { probability, low, high, intervalLevel, percentile } = score;
    const band = isBand(score.band) ? score.band : 'COLD';
    const envelope = this.writer.finish(
      this.writer.begin(),
      { ...rated, attribution: question.explain ? score.attribution : null },
      {
        content: {
          tenantId,
          kind: 'lead',
          subject: question.customerId,
          customerId: question.customerId,
          input: input?.features ?? null,
          propensity: null,
        },
        output: { probability, low, high, level: intervalLevel, band, percentile, basis },
      },
    );
    const interval = { value: probability, low, high, level: intervalLevel };
    return { ...envelope, basis, probability, interval, band, percentile, playbook: playbookFor(band) };
  }
}
