import { MONITOR_FILE, modelName } from '@sextant/artefacts';
import type { Session } from '@sextant/learning/session';
import { monitorFileOf, monitorHistories } from '@sextant/training/monitor';
import { trainSessionModel } from '@sextant/training/sessions';
import type { TrainedModel } from '../publisher.js';

export interface SessionTraining {
  tenantId: string;
  sessions: readonly Session[];
  /** SHA-256 of the training rows in order, hex. */
  dataSha256: string;
  dataRows: number;
}

export interface SessionTrainingOptions {
  seed: number;
  now: Date;
  onProgress: (share: number, step: string) => void;
}

/** The model of the next view in a session. @throws DomainError DATA_INSUFFICIENT without any view */
export async function trainSession(
  { tenantId, sessions, dataSha256, dataRows }: SessionTraining,
  { seed, now, onProgress }: SessionTrainingOptions,
): Promise<TrainedModel> {
  const trained = await trainSessionModel(sessions, { seed, onProgress });
  const { bytes, ...onnx } = trained.onnx;
  return {
    draft: {
      model: modelName(tenantId, 'session'),
      tenantId,
      trainedAt: now.toISOString(),
      seed,
      dataSha256,
      dataRows,
      onnx,
      metrics: trained.card.metrics,
      baselineMetrics: trained.card.baselineMetrics,
      warmUpBatchSizes: [1, 8, 64],
      monitorFile: MONITOR_FILE,
      spec: trained.spec,
    },
    files: new Map([
      ['model.onnx', bytes],
      [trained.spec.transitionsFile, trained.transitions],
      monitorFileOf(monitorHistories(sessions.map(({ items }) => new Set(items).size))),
    ]),
    card: trained.card,
    evidence: trained.evidence,
  };
}
