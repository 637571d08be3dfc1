import { z } from 'zod';

/** What the graph says of a version, as far as a command shows it. */
export const versionFields = `id stage trainedAt share origin onnxSha256 trainingCustomers gates { name required observed passed }`;

const gate = z.object({
  name: z.string(),
  required: z.string(),
  observed: z.string(),
  passed: z.boolean(),
});
export type GateAnswer = z.output<typeof gate>;

const version = z.object({
  id: z.string(),
  stage: z.string(),
  trainedAt: z.string().nullable(),
  share: z.number().nullable(),
  origin: z.string().nullable(),
  onnxSha256: z.string().nullable(),
  trainingCustomers: z.number().nullable(),
  gates: z.array(gate),
});
export type VersionAnswer = z.output<typeof version>;

/** The fields of {@link versionDetails}. */
export const detailFields = `${versionFields}
  history { from to at by reason overridden }
  importance { feature share }
  fairness { attribute group n selectionRate { value low high } disparateImpact tprGap calibrationGap }
  card { purpose trainingData chosenBecause metrics baselineMetrics limitations warnings }`;

const interval = z.object({ value: z.number(), low: z.number(), high: z.number() });
const metrics = z.record(z.string(), interval);

export const versionDetails = version.extend({
  history: z.array(
    z.object({
      from: z.string().nullable(),
      to: z.string(),
      at: z.string(),
      by: z.string(),
      reason: z.string().nullable(),
      overridden: z.array(z.string()),
    }),
  ),
  importance: z.array(z.object({ feature: z.string(), share: z.number() })),
  fairness: z.array(
    z.object({
      attribute: z.string(),
      group: z.string(),
      n: z.number(),
      selectionRate: interval,
      disparateImpact: z.number().nullable(),
      tprGap: z.number().nullable(),
      calibrationGap: z.number(),
    }),
  ),
  card: z
    .object({
      purpose: z.string(),
      trainingData: z.string(),
      chosenBecause: z.string(),
      metrics,
      baselineMetrics: metrics,
      limitations: z.array(z.string()),
      warnings: z.array(z.string()),
    })
    .nullable(),
});
export type VersionDetails = z.output<typeof versionDetails>;

export const modelFields = `id live { ${versionFields} } challenger { ${versionFields} } versions(first: $versions) { ${versionFields} }`;

export const model = z.object({
  id: z.string(),
  live: version.nullable(),
  challenger: version.nullable(),
  versions: z.array(version),
});
export type ModelAnswer = z.output<typeof model>;

export const promotion = z.object({ version: version.nullable(), blockedBy: z.array(gate) });
export { version as versionAnswer };

export const jobFields = `id task state progress step etaSeconds createdAt startedAt finishedAt seed modelVersion { id } failure { code message }`;

export const job = z.object({
  id: z.string(),
  task: z.string(),
  state: z.enum(['QUEUED', 'RUNNING', 'SUCCEEDED', 'FAILED', 'CANCELLED']),
  progress: z.number(),
  step: z.string().nullable(),
  etaSeconds: z.number().nullable(),
  createdAt: z.string(),
  startedAt: z.string().nullable(),
  finishedAt: z.string().nullable(),
  seed: z.number(),
  modelVersion: z.object({ id: z.string() }).nullable(),
  failure: z.object({ code: z.string(), message: z.string() }).nullable(),
});
export type JobAnswer = z.output<typeof job>;
