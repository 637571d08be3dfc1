import { readFileSync } from 'node:fs';
import { buildSchema, parse, validate } from 'graphql';
import { describe, expect, it } from 'vitest';
import { BatchClient } from '../batch/batch.client.js';
import { ModelClient } from '../model/model.client.js';
import { mutationResult } from './mutation-result.js';

describe('mutationResult', () => {
  it('is what was done', () => {
    const data = { stopTraining: { job: { id: 'job_1' }, userErrors: [] } };
    expect(mutationResult(data, 'stopTraining', 'job')).toEqual({ id: 'job_1' });
  });

  const refused = (code: string) => ({ stop: { job: null, userErrors: [{ code, message: 'not so' }] } });
  it.each([
    [refused('JOB_NOT_FOUND'), { code: 'JOB_NOT_FOUND', message: 'not so' }],
    [refused('OF_LATER'), { code: 'GATEWAY_REFUSED', message: 'OF_LATER: not so' }],
    [{ stop: null }, { code: 'GATEWAY_REFUSED', message: "the gateway's answer has no stop" }],
  ])('of %j is an error', (data, error) => {
    expect(() => mutationResult(data, 'stop', 'job')).toThrow(expect.objectContaining(error));
  });
});

describe('the changes that the CLI asks for', () => {
  const schema = buildSchema(
    readFileSync(new URL('../../../../docs/reference/schema.graphql', import.meta.url), 'utf8'),
  );
  const asked: string[] = [];
  const record = (text: string) => {
    asked.push(text);
    return Promise.reject(new Error('recorded'));
  };
  const models = new ModelClient({ query: record, mutate: record });
  const batches = new BatchClient({ query: record, mutate: record });

  it('are in the graph, and none of them is deprecated', async () => {
    await Promise.allSettled([
      models.promote({ versionId: 'demo.lead@1', to: 'LIVE' }),
      models.rollback('lead', 'a reason'),
      models.train({ task: 'lead', idempotencyKey: 'k' }),
      models.beginUpload(1),
      models.appendUpload({ uploadId: 'up_1', part: 0, data: '' }),
      models.importModel({}),
      batches.score('lead', 'k'),
      batches.change('stopScoring', 'bat_1'),
      batches.change('resumeScoring', 'bat_1'),
    ]);
    expect(asked).toHaveLength(9);
    const fields = schema.getMutationType()?.getFields() ?? {};
    for (const text of asked) {
      const document = parse(text);
      expect([text, validate(schema, document)]).toEqual([text, []]);
      const [, name = ''] = /\{\s*(\w+)\(/.exec(text) ?? [];
      expect([name, fields[name]?.deprecationReason]).toEqual([name, undefined]);
    }
  });
});
