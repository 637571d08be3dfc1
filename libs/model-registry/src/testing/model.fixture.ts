import type { ManifestDraft, ModelCard } from '@sextant/artefacts';

const METRICS = { ndcg10: { value: 0.2, low: 0.1, high: 0.3, level: 0.9 } };

/** What a training hands over of a small model; the registry does not look into the files. */
export function aDraft(model: string, overrides: Partial<ManifestDraft> = {}): ManifestDraft {
  return {
    model,
    tenantId: model.split('.')[0] ?? '',
    trainedAt: '2026-03-01T00:00:00.000Z',
    seed: 1,
    dataSha256: 'a'.repeat(64),
    dataRows: 3,
    onnx: {
      opset: 20,
      inputs: [{ name: 'history', datatype: 'FP32', shape: [-1, 2] }],
      outputs: [{ name: 'scores', datatype: 'FP32', shape: [-1, 1] }],
    },
    metrics: METRICS,
    baselineMetrics: METRICS,
    warmUpBatchSizes: [1],
    spec: {
      task: 'recommend',
      items: ['a'],
      components: [],
      rank: null,
      tauItems: null,
      excludeHistory: true,
      similarityFile: 'similarity.f32',
    },
    ...overrides,
  };
}

export function aCard(overrides: Partial<ModelCard> = {}): ModelCard {
  return {
    purpose: 'p',
    trainingData: 'd',
    features: [],
    chosenBecause: 'c',
    metrics: METRICS,
    baselineMetrics: METRICS,
    limitations: ['l'],
    warnings: [],
    ...overrides,
  };
}
