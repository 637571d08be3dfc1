import type { Clock } from '@sextant/domain';
import type { Attribution } from '@sextant/inference-protocol';
import type { PredictionMetrics } from '../prediction-metrics.js';
import { type DecisionKind, newDecisionId } from '@sextant/decision-log';
import { canonicalJson, hashText } from './canonical-json.js';
import type { DecisionEnvelope } from './decision.js';
import type { DecisionLog } from './decision-log.js';
import type { Rated } from './ladder.js';

/** What the log keeps of a decision besides its envelope. */
export interface DecisionContent {
  tenantId: string;
  kind: DecisionKind;
  subject: string;
  customerId: string | null;
  /** what the model, or the rule, was given */
  input: unknown;
  propensity: number | null;
}

/** Makes answers into decisions: an id, an instant, a row in the log, a count. */
export class DecisionWriter {
  constructor(
    private readonly log: DecisionLog,
    private readonly metrics: PredictionMetrics,
    private readonly clock: Clock,
  ) {}

  now(): Date {
    return this.clock.now();
  }

  /** Id and instant, for outputs that carry them (a price token). */
  begin(): { decisionId: string; decidedAt: Date } {
    const decidedAt = this.clock.now();
    return { decisionId: newDecisionId(decidedAt), decidedAt };
  }

  /** @param output  the answer as given, without personal data beyond the subject's id */
  finish(
    begun: { decisionId: string; decidedAt: Date },
    rated: Rated<unknown> & { attribution: Attribution | null },
    recorded: { content: DecisionContent; output: Record<string, unknown> },
  ): DecisionEnvelope {
    const { decisionId, decidedAt } = begun;
    const { model, servedBy, source } = rated;
    if (source && servedBy.rung === 'MODEL') source.decisionId ??= decisionId;
    const { output } = recorded;
    const { input, ...content } = recorded.content;
    const inputJson = canonicalJson(input);
    this.metrics.countDecision(content.kind, servedBy);
    this.log.record({
      id: decisionId,
      ...content,
      at: decidedAt,
      modelVersion: model.id,
      rung: servedBy.rung,
      fallbackReason: servedBy.fallbackReason,
      device: servedBy.device === 'NONE' ? null : servedBy.device,
      repeats: servedBy.rung === 'CACHE' ? (source?.decisionId ?? null) : null,
      inputJson,
      inputHash: hashText(inputJson),
      output,
    });
    const attribution = servedBy.rung === 'MODEL' ? rated.attribution : null;
    return { decisionId, decidedAt, model, servedBy, attribution };
  }
}
