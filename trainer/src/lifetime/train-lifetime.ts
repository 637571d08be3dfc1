import { MONITOR_FILE, modelName } from '@sextant/artefacts';
import { onnxDescription, onnxFiles } from '@sextant/onnx';
import { monitorFileOf } from '@sextant/training/monitor';
import { trainLifetimeModel } from '@sextant/training/lifetime';
import type { TrainedModel } from '../publisher.js';
import type { PurchaseData } from '../training-data.js';

export interface LifetimeTrainingOptions {
  seed: number;
  now: Date;
  onProgress: (share: number, step: string) => void;
}

const PERIOD_DAYS = 7;
const MAX_HORIZON_DAYS = 730;
/** A purchase in a year is worth 1 / 1.1 of one today. */
const ANNUAL_DISCOUNT_RATE = 0.1;
const DEFAULT_CURRENCY = 'EUR';

/**
 * Lifetime value of a tenant's customers.
 *
 * @throws DomainError DATA_INSUFFICIENT naming the remedy, TRAINING_FAILED when the written model differs from the fitted one
 */
export async function trainLifetime(
  { tenantId, customers, until, currencies, dataSha256, dataRows }: PurchaseData & { tenantId: string },
  { seed, now, onProgress }: LifetimeTrainingOptions,
): Promise<TrainedModel> {
  const [currency = '', ...others] = currencies;
  const { spec, onnx, card, evidence, monitoring } = await trainLifetimeModel(
    { customers, rows: dataRows, until, currency: currency === '' ? DEFAULT_CURRENCY : currency },
    {
      periodDays: PERIOD_DAYS,
      maxHorizonDays: MAX_HORIZON_DAYS,
      annualDiscountRate: ANNUAL_DISCOUNT_RATE,
      seed,
      onProgress,
    },
  );
  const mixed =
    others.length === 0
      ? []
      : [`orders come in several currencies (${currencies.join(', ')}); their values are added as they are`];
  return {
    draft: {
      model: modelName(tenantId, 'lifetime'),
      tenantId,
      trainedAt: now.toISOString(),
      seed,
      dataSha256,
      dataRows,
      onnx: onnxDescription(onnx),
      metrics: card.metrics,
      baselineMetrics: card.baselineMetrics,
      warmUpBatchSizes: [1, 8, 64],
      monitorFile: MONITOR_FILE,
      spec,
    },
    files: new Map([...onnxFiles(onnx), monitorFileOf(monitoring)]),
    card: { ...card, warnings: [...mixed, ...card.warnings] },
    evidence,
  };
}
