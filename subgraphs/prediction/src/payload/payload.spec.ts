import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { anIdentity, aPrediction, type Prediction } from '../testing/prediction.fixture.js';

/** An input that a person can put right, and what is said of it. */
interface Wrong {
  /** `name:input type` */
  mutation: string;
  input: object;
  result?: string;
  code?: string;
  field: string;
}

let prediction: Prediction;
beforeAll(async () => {
  prediction = await aPrediction();
});
afterAll(() => prediction.stop());

const ask = async (mutation: string, fields: string, input: object) => {
  const [name = ''] = mutation.split(':');
  const type = mutation.slice(name.length + 1);
  const { data, errors } = await prediction.ask(
    `mutation ($input: ${type}!) { ${name}(input: $input) { ${fields} userErrors { code field } } }`,
    { input },
  );
  expect(errors).toBeUndefined();
  return data[name];
};

describe('mutations of models and jobs', () => {
  it('start, stop and resume jobs', async () => {
    const { job, userErrors } = await ask('startTraining:TrainInput', 'job { id state }', { task: 'lead' });
    expect([job.state, userErrors]).toEqual(['QUEUED', []]);
    const stopped = await ask('stopTraining:JobInput', 'job { id state }', { id: job.id });
    expect(stopped).toEqual({ job: { id: job.id, state: 'CANCELLED' }, userErrors: [] });
    const scoring = await ask('startScoring:ScoreCustomersInput', 'job { id }', { task: 'churn' });
    await ask('stopScoring:JobInput', 'job { id }', { id: scoring.job.id });
    const resumed = await ask('resumeScoring:JobInput', 'job { state }', { id: scoring.job.id });
    expect(resumed).toEqual({ job: { state: 'QUEUED' }, userErrors: [] });
  });

  it('open an upload and take its parts', async () => {
    const { upload } = await ask('startModelUpload:BeginUploadInput', 'upload { id parts }', { bytes: 3 });
    const part = { uploadId: upload.id, part: 0, data: Buffer.from('abc').toString('base64') };
    const sent = await ask('addModelUploadPart:AppendUploadInput', 'upload { received }', part);
    expect(sent).toEqual({ upload: { received: [0] }, userErrors: [] });
  });

  it('open one upload for an idempotency key, which stands for no other file', async () => {
    const begin = (input: object) =>
      ask('startModelUpload:BeginUploadInput', 'upload { id parts received }', input);
    const input = { bytes: 3, idempotencyKey: 'model-1' };
    const [one, two] = await Promise.all([begin(input), begin(input)]);
    expect(two).toEqual(one);
    const part = { uploadId: one.upload.id, part: 0, data: Buffer.from('abc').toString('base64') };
    await ask('addModelUploadPart:AppendUploadInput', 'upload { received }', part);
    expect(await begin(input)).toEqual({
      upload: { id: one.upload.id, parts: 1, received: [0] },
      userErrors: [],
    });
    expect(await begin({ bytes: 4, idempotencyKey: 'model-1' })).toEqual({
      upload: null,
      userErrors: [{ code: 'IDEMPOTENCY_CONFLICT', field: 'input.idempotencyKey' }],
    });
    expect((await begin({ bytes: 3, idempotencyKey: 'model-2' })).upload.id).not.toBe(one.upload.id);
  });

  it('keep a policy', async () => {
    const input = { task: 'lead', policy: { protectedTraits: ['gender'] } };
    const changed = await ask(
      'changeModelPolicy:ChangeModelPolicyInput',
      'policy { protectedTraits }',
      input,
    );
    expect(changed).toEqual({ policy: { protectedTraits: ['gender'] }, userErrors: [] });
  });

  it.each<Wrong>([
    { mutation: 'startTraining:TrainInput', input: { task: 'weather' }, field: 'input.task' },
    { mutation: 'stopTraining:JobInput', input: { id: 'job_0' }, code: 'JOB_NOT_FOUND', field: 'input.id' },
    { mutation: 'startScoring:ScoreCustomersInput', input: { task: 'price' }, field: 'input.task' },
    { mutation: 'stopScoring:JobInput', input: { id: 'bat_0' }, code: 'JOB_NOT_FOUND', field: 'input.id' },
    { mutation: 'resumeScoring:JobInput', input: { id: 'bat_0' }, code: 'JOB_NOT_FOUND', field: 'input.id' },
    {
      ...{ mutation: 'startModelUpload:BeginUploadInput', result: 'upload' },
      ...{ input: { bytes: 3, idempotencyKey: '' }, field: 'input.idempotencyKey' },
    },
    {
      ...{ mutation: 'addModelUploadPart:AppendUploadInput', result: 'upload', code: 'UPLOAD_NOT_FOUND' },
      ...{ input: { uploadId: 'up_0', part: 0, data: '' }, field: 'input' },
    },
    {
      ...{ mutation: 'changeModelPolicy:ChangeModelPolicyInput', result: 'policy' },
      ...{ input: { task: 'weather', policy: {} }, field: 'input.task' },
    },
  ])('say in userErrors what is wrong with $mutation', async (wrong) => {
    const { mutation, input, result = 'job', code = 'INVALID_INPUT', field } = wrong;
    const payload = await ask(mutation, `${result} { __typename }`, input);
    expect(payload).toMatchObject({ [result]: null, userErrors: [{ code, field }] });
  });

  it('answer with an error where nobody can put the input right', async () => {
    const as = anIdentity({ scopes: ['model:read'] });
    const { errors } = await prediction.ask(
      'mutation { startTraining(input: { task: "lead" }) { userErrors { code } } }',
      {},
      as,
    );
    expect(errors?.[0]?.extensions.code).toBe('FORBIDDEN');
  });
});
