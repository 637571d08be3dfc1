import { modelName } from '@sextant/artefacts';
import { DomainError } from '@sextant/domain';
import { type CustomerState, type ScoreBasis, type ScoreInput, scoreInput } from '@sextant/features';
import { type LeadScore, toFeatureTable } from '@sextant/inference-protocol';
import { type Budget, remainingMs } from '../decision/budget.js';
import type { DecisionEnvelope } from '../decision/decision.js';
import type { DecisionWriter } from '../decision/decision-writer.js';
import type { Climb, Ladder, Rated } from '../decision/ladder.js';
import { type InferenceService, soleSubject } from '../inference/inference.service.js';
import type { OwnPlaybooks, TenantPlaybooks } from '../policy/tenant-playbooks.js';
import { type Band, isBand, type Playbook } from './playbook.js';
import type { ScoreProfile } from './score-task.js';

export interface ScoreQuestion {
  customerId: string;
  /** what the caller wants looked ahead; null for whatever the model does */
  horizonDays: number | null;
  /** most contributions that are shown of its explanation; 0 when nobody asked why */
  contributions: number;
  budget: Budget;
}

export interface Score extends DecisionEnvelope {
  basis: ScoreBasis;
  probability: number;
  interval: { value: number; low: number; high: number; level: number };
  band: Band;
  percentile: number;
  playbook: Playbook | null;
}

interface Asked {
  question: ScoreQuestion;
  input: ScoreInput;
}

/** What is kept of an answer: the score and what it was about, since the CACHE rung may answer without the features. */
interface Answer {
  score: LeadScore;
  basis: ScoreBasis;
  /** null where the rule that answered names none */
  horizonDays: number | null;
}

export interface ScoreServiceParts {
  inference: InferenceService;
  ladder: Ladder;
  writer: DecisionWriter;
  playbooks: Pick<TenantPlaybooks, 'of'>;
}

/** Scores of one task for any number of one tenant's customers: one call to the worker. */
export class ScoreService {
  constructor(
    private readonly profile: ScoreProfile,
    private readonly parts: ScoreServiceParts,
  ) {}

  /** @param states  in the order of the questions; an error where there is none */
  async answer(
    tenantId: string,
    questions: readonly ScoreQuestion[],
    states: readonly (CustomerState | Error)[],
  ): Promise<(Score | Error)[]> {
    const now = this.parts.writer.now();
    const { task } = this.profile;
    const inputs = states.map((state) => (state instanceof Error ? state : scoreInput(task, state, now)));
    const asked = questions.flatMap((question, i) => {
      const input = inputs[i];
      return input === undefined || input instanceof Error ? [] : [{ question, input }];
    });
    const [rated, own] = await Promise.all([
      this.parts.ladder.climb(this.climb(tenantId, asked)),
      this.parts.playbooks.of(tenantId, this.profile.task),
    ]);
    const answers = new Map(asked.map(({ question }, i) => [question, rated[i]]));
    return questions.map((question, i) => {
      const input = inputs[i] ?? new RangeError('a customer was not read');
      const answer =
        input instanceof Error ? this.answerUnread(tenantId, question, input) : answers.get(question);
      if (answer === undefined) return new RangeError('a question was lost');
      if (answer instanceof Error) return answer;
      if (!isAsAsked(answer.answer, question)) return this.otherHorizon(answer.answer, question);
      const known = input instanceof Error ? null : input;
      return this.decide(tenantId, { question, input: known, own }, answer);
    });
  }

  private answerUnread(tenantId: string, question: ScoreQuestion, reason: Error): Rated<Answer> | Error {
    if (!(reason instanceof DomainError) || reason.code === 'CUSTOMER_NOT_FOUND') return reason;
    const input: ScoreInput = { basis: 'BEHAVIOUR', features: {} };
    return this.parts.ladder.findCached(this.climb(tenantId, []), { question, input }, reason.code) ?? reason;
  }

  private climb(tenantId: string, questions: readonly Asked[]): Climb<Asked, Answer> {
    const { task, rule } = this.profile;
    return {
      kind: task,
      tenantId,
      questions,
      keyOf: ({ question }) => scoreQuestionKey(question),
      keptOf: ({ score, ...answer }) => ({ ...answer, score: { ...score, attribution: null } }),
      isUsable: (answer, { question }) => isAsAsked(answer, question),
      askModel: async (asked) => {
        const topContributions = Math.max(...asked.map(({ question }) => question.contributions));
        const { servedBy, scores, horizonDays, explanationRefused } = await this.parts.inference.scoreLeads(
          {
            model: modelName(tenantId, task),
            rows: toFeatureTable(asked.map(({ input }) => input.features)),
            explain: topContributions > 0,
            topContributions,
          },
          {
            tenantId,
            deadlineMs: remainingMs(asked.map(({ question }) => question.budget)),
            subject: soleSubject(asked.map(({ question }) => question.customerId)),
          },
        );
        const basisOf = (i: number): ScoreBasis => asked[i]?.input.basis ?? 'BEHAVIOUR';
        const answers = scores.map((score, i) => ({ score, basis: basisOf(i), horizonDays }));
        return { servedBy, answers, explanationRefused };
      },
      heuristic: ({ input: { basis, features } }) => ({
        modelId: rule.modelId,
        answer: { score: rule.score(features), basis, horizonDays: rule.horizonDays },
      }),
    };
  }

  private otherHorizon({ horizonDays }: Answer, question: ScoreQuestion): DomainError {
    return new DomainError(
      'INVALID_INPUT',
      `${this.profile.task} is foretold for ${horizonDays} days, not for ${question.horizonDays}: ask with horizonDays ${horizonDays}, or without it`,
      { path: 'horizonDays' },
    );
  }

  private decide(
    tenantId: string,
    { question, input, own }: { question: ScoreQuestion; input: ScoreInput | null; own: OwnPlaybooks },
    rated: Rated<Answer>,
  ): Score {
    const { score, basis } = rated.answer;
    const { probability, low, high, intervalLevel, percentile } = score;
    const { task, playbooks } = this.profile;
    const { writer } = this.parts;
    const band = bandOf(score, this.profile);
    const envelope = writer.finish(
      writer.begin(),
      { ...rated, attribution: question.contributions > 0 ? score.attribution : null },
      {
        content: {
          tenantId,
          kind: task,
          subject: question.customerId,
          customerId: question.customerId,
          input: input?.features ?? null,
          propensity: null,
        },
        output: { ...scoreOutput(score, this.profile), basis },
      },
    );
    const interval = { value: probability, low, high, level: intervalLevel };
    return {
      ...envelope,
      basis,
      probability,
      interval,
      band,
      percentile,
      playbook: (own ?? playbooks)[band] ?? null,
    };
  }
}

/** What the log keeps of a score, but for its basis. */
export function scoreOutput(score: LeadScore, profile: Pick<ScoreProfile, 'lowestBand'>) {
  const { probability, low, high, intervalLevel: level, percentile } = score;
  return { probability, low, high, level, band: bandOf(score, profile), percentile };
}

function bandOf({ band }: LeadScore, { lowestBand }: Pick<ScoreProfile, 'lowestBand'>): Band {
  return isBand(band) ? band : lowestBand;
}

/** Distinguishes questions inside one tenant and task; what was asked to explain them does not. */
export function scoreQuestionKey({ customerId, horizonDays }: ScoreQuestion): string {
  return `${horizonDays ?? ''} ${customerId}`;
}

function isAsAsked(answer: Answer, question: ScoreQuestion): boolean {
  return (
    question.horizonDays === null ||
    answer.horizonDays === null ||
    question.horizonDays === answer.horizonDays
  );
}
