import { TASKS } from '@sextant/artefacts';
import { DomainError } from '@sextant/domain';
import { z } from 'zod';
import type { GraphClient } from '../graph/graph.client.js';
import { mutationResult, USER_ERRORS } from '../graph/mutation-result.js';
import { type DriftAnswer, driftFields, driftReport } from './drift-answers.js';
import {
  type ImportAnswer,
  importFields,
  modelImport,
  upload,
  type UploadAnswer,
  uploadFields,
} from './import-answers.js';
import {
  detailFields,
  job,
  type JobAnswer,
  jobFields,
  model,
  type ModelAnswer,
  modelFields,
  promotion,
  versionAnswer,
  type VersionAnswer,
  type VersionDetails,
  versionDetails,
  versionFields,
} from './model-answers.js';

const FULL_ID = /^[a-z0-9-]+\.[^@\s]+@\d+$/;
const SHORT_ID = /^([^.@\s]+)@(\d+)$/;
const versionName = z.object({ id: z.string(), nodeId: z.string() });
/** Most that the graph gives at once. */
const MAX_VERSIONS = 50;

export interface TrainRequest {
  task: string;
  notes?: string;
  maxMinutes?: number;
  seed?: number;
  dataFrom?: string;
  dataTo?: string;
  idempotencyKey: string;
}

/** The operations of the graph on models. */
export class ModelClient {
  constructor(private readonly graph: Pick<GraphClient, 'query' | 'mutate'>) {}

  /** Every task's model, with its newest version. */
  async list(): Promise<ModelAnswer[]> {
    const aliases = TASKS.map((task, i) => `m${i}: model(id: "${task}") { ${modelFields} }`);
    const data = await this.graph.query(`query Models($versions: Int) { ${aliases.join(' ')} }`, {
      versions: 1,
    });
    return TASKS.map((_, i) => model.parse(data[`m${i}`]));
  }

  /** @throws DomainError MODEL_NOT_FOUND naming the models there are */
  async model(task: string, versions: number): Promise<ModelAnswer> {
    const query = `query Model($id: ID!, $versions: Int) { model(id: $id) { ${modelFields} } }`;
    const data = await this.graph.query(query, { id: task, versions });
    if (data['model'] === null) throw unknownModel(task);
    return model.parse(data['model']);
  }

  /** @throws DomainError MODEL_NOT_FOUND, MODEL_VERSION_NOT_FOUND */
  async version(id: string): Promise<VersionDetails> {
    const task = taskOf(id);
    const query = `query Versions($id: ID!, $first: Int) { model(id: $id) { versions(first: $first) { id nodeId } } }`;
    const data = await this.graph.query(query, { id: task, first: MAX_VERSIONS });
    if (data['model'] === null) throw unknownModel(task);
    const { versions } = z.object({ versions: z.array(versionName) }).parse(data['model']);
    const found = versions.find((version) => version.id === id);
    if (found) return this.details(found.nodeId);
    throw new DomainError(
      'MODEL_VERSION_NOT_FOUND',
      `${id} is not among the newest ${MAX_VERSIONS} versions: \`sextant model show ${task}\` lists them`,
    );
  }

  private async details(nodeId: string): Promise<VersionDetails> {
    const query = `query Version($id: ID!) { node(id: $id) { ... on ModelVersion { ${detailFields} } } }`;
    return versionDetails.parse((await this.graph.query(query, { id: nodeId }))['node']);
  }

  /**
   * The id of a version that may be named without its tenant, `churn@7`.
   *
   * @throws DomainError INVALID_INPUT for what is no version, MODEL_NOT_FOUND, MODEL_VERSION_NOT_FOUND
   */
  async idOf(name: string): Promise<string> {
    if (FULL_ID.test(name)) return name;
    const [, task = '', number = ''] = SHORT_ID.exec(name) ?? [];
    if (task === '')
      throw new DomainError(
        'INVALID_INPUT',
        `a version is named like churn@7 or demo.churn@7, got "${name}"`,
      );
    const [newest] = (await this.model(task, 1)).versions;
    if (newest) return newest.id.replace(/@\d+$/, `@${number}`);
    throw new DomainError(
      'MODEL_VERSION_NOT_FOUND',
      `${task} has no version yet: \`sextant model train ${task}\``,
    );
  }

  async promote(request: {
    versionId: string;
    to: string;
    share?: number;
    override?: string;
  }): Promise<z.output<typeof promotion>> {
    const mutation = `mutation Move($input: MoveModelInput!) { moveModel(input: $input) {
      move { version { ${versionFields} } blockedBy { name required observed passed } } ${USER_ERRORS} } }`;
    const data = await this.graph.mutate(mutation, { input: request });
    return promotion.parse(mutationResult(data, 'moveModel', 'move'));
  }

  async rollback(modelId: string, reason: string): Promise<VersionAnswer> {
    const mutation = `mutation Restore($input: ModelChangeInput!) {
      restoreModel(input: $input) { version { ${versionFields} } ${USER_ERRORS} } }`;
    const data = await this.graph.mutate(mutation, { input: { modelId, reason } });
    return versionAnswer.parse(mutationResult(data, 'restoreModel', 'version'));
  }

  async jobs(first: number, task: string | null): Promise<JobAnswer[]> {
    const query = `query Jobs($first: Int, $task: String) { trainingJobs(first: $first, task: $task) { ${jobFields} } }`;
    const data = await this.graph.query(query, { first, task });
    return z.array(job).parse(data['trainingJobs']);
  }

  /** Asked again with the same key, it is the same job. */
  async train(input: TrainRequest): Promise<JobAnswer> {
    const mutation = `mutation Train($input: TrainInput!) {
      startTraining(input: $input) { job { ${jobFields} } ${USER_ERRORS} } }`;
    const data = await this.graph.query(mutation, { input });
    return job.parse(mutationResult(data, 'startTraining', 'job'));
  }

  async job(id: string): Promise<JobAnswer> {
    const query = `query Job($id: ID!) { trainingJob(id: $id) { ${jobFields} } }`;
    const data = await this.graph.query(query, { id });
    return job.parse(data['trainingJob']);
  }

  /** @throws DomainError MODEL_NOT_FOUND */
  async drift(task: string, window: string): Promise<DriftAnswer> {
    const query = `query Drift($id: ID!, $window: String) { model(id: $id) { drift(window: $window) { ${driftFields} } } }`;
    const data = await this.graph.query(query, { id: task, window });
    if (data['model'] === null) throw unknownModel(task);
    return z.object({ drift: driftReport }).parse(data['model']).drift;
  }

  async beginUpload(bytes: number): Promise<UploadAnswer> {
    const mutation = `mutation Begin($bytes: Int!) {
      startModelUpload(input: { bytes: $bytes }) { upload { ${uploadFields} } ${USER_ERRORS} } }`;
    const data = await this.graph.mutate(mutation, { bytes });
    return upload.parse(mutationResult(data, 'startModelUpload', 'upload'));
  }

  /** The same part again changes nothing. */
  async appendUpload(input: { uploadId: string; part: number; data: string }): Promise<void> {
    const mutation = `mutation Append($input: AppendUploadInput!) {
      addModelUploadPart(input: $input) { upload { id } ${USER_ERRORS} } }`;
    mutationResult(await this.graph.query(mutation, { input }), 'addModelUploadPart', 'upload');
  }

  /** Asked again with the same idempotency key, it is the same import. */
  async importModel(input: Record<string, unknown>): Promise<ImportAnswer> {
    const mutation = `mutation Import($input: ImportModelInput!) {
      startModelImport(input: $input) { modelImport { ${importFields} } ${USER_ERRORS} } }`;
    const data = await this.graph.query(mutation, { input });
    return modelImport.parse(mutationResult(data, 'startModelImport', 'modelImport'));
  }

  async modelImport(id: string): Promise<ImportAnswer> {
    const query = `query ModelImport($id: ID!) { modelImport(id: $id) { ${importFields} } }`;
    return modelImport.parse((await this.graph.query(query, { id }))['modelImport']);
  }

  async trainedOn(customerRef: string): Promise<VersionAnswer[]> {
    const query = `query TrainedOn($ref: ID!) { trainedOn(customerRef: $ref) { ${versionFields} } }`;
    const data = await this.graph.query(query, { ref: customerRef });
    return z.array(versionAnswer).parse(data['trainedOn']);
  }
}

function taskOf(id: string): string {
  return id.slice(id.indexOf('.') + 1, id.lastIndexOf('@'));
}

function unknownModel(task: string): DomainError {
  return new DomainError('MODEL_NOT_FOUND', `there is no model "${task}": it is one of ${TASKS.join(', ')}`);
}
