import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ModelRepository } from '@sextant/artefacts';
import { startTestMongo } from '@sextant/testing';
import { MongoClient } from 'mongodb';
import { afterEach, describe, expect, it } from 'vitest';
import { openModelRepository } from './open-model-repository.js';
import { aCard, aDraft } from './testing/model.fixture.js';

const MODEL = 'demo.recommend';
const CARD = aCard();
const DRAFT = aDraft(MODEL);
const FILES = new Map([
  ['model.onnx', Buffer.from('onnx')],
  ['similarity.f32', Buffer.alloc(600_000, 7)],
]);

const cleanUp: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const step of cleanUp.splice(0).reverse()) await step();
});

interface Kind {
  name: string;
  /** what MODEL_REPOSITORY says */
  where(): Promise<string>;
}

const KINDS: Kind[] = [
  {
    name: 'a directory',
    async where() {
      const root = await mkdtemp(join(tmpdir(), 'sextant-models-'));
      cleanUp.push(() => rm(root, { recursive: true, force: true }));
      return root;
    },
  },
  {
    name: 'GridFS',
    async where() {
      const mongo = await startTestMongo();
      cleanUp.push(() => mongo.stop());
      return `${mongo.uri}${mongo.uri.includes('?') ? '&' : '?'}bucket=models`;
    },
  },
];

async function open(where: string): Promise<ModelRepository> {
  const repository = await openModelRepository(where);
  cleanUp.push(() => repository.close());
  return repository;
}

describe.each(KINDS)('a model repository in $name', ({ where }) => {
  const fresh = async (): Promise<ModelRepository> => open(await where());

  it('removes the files of a version that nothing needs, and no other', async () => {
    const repository = await fresh();
    for (let version = 1; version <= 5; version += 1) await repository.publish(DRAFT, FILES, CARD);
    await repository.setLiveVersion(MODEL, 2);
    await repository.setServing(MODEL, { aliases: { best: 3 } });
    for (const version of [2, 3, 5]) {
      await expect(repository.removeVersion(MODEL, version)).rejects.toMatchObject({
        code: 'VERSION_IN_USE',
        message: expect.stringContaining(`${MODEL}/${version}`) as string,
      });
    }
    await repository.removeVersion(MODEL, 1);
    await repository.removeVersion(MODEL, 1);
    expect(await repository.listVersions(MODEL)).toEqual([2, 3, 4, 5]);
    expect((await repository.readVersion(MODEL, 4)).files.size).toBeGreaterThan(0);
    await repository.publish(DRAFT, FILES, CARD);
    expect(await repository.listVersions(MODEL)).toEqual([2, 3, 4, 5, 6]);
  });

  it('is empty at first', async () => {
    const repository = await fresh();
    expect(await repository.isThere()).toBe(true);
    expect(await repository.listModels()).toEqual([]);
    expect(await repository.listVersions(MODEL)).toEqual([]);
    expect(await repository.findMark(MODEL, 1)).toBeNull();
    expect(await repository.readEntry(MODEL)).toMatchObject({ versions: [], live: null });
  });

  it('counts versions from 1 and gives their content as it was published', async () => {
    const repository = await fresh();
    expect((await repository.publish(DRAFT, FILES, CARD)).version).toBe(1);
    const second = await repository.publish(DRAFT, FILES, CARD);
    expect(second.version).toBe(2);
    expect(await repository.listVersions(MODEL)).toEqual([1, 2]);
    expect(await repository.listModels()).toEqual([MODEL]);

    const { manifest, files } = await repository.readVersion(MODEL, 2);
    expect(manifest).toEqual(second);
    expect(
      [...files].map(([path, content]) => [path, content.equals(FILES.get(path) ?? Buffer.of())]),
    ).toEqual([
      ['model.onnx', true],
      ['similarity.f32', true],
    ]);
    expect(await repository.readManifest(MODEL, 2)).toEqual(second);
    expect(await repository.readCard(MODEL, 2)).toEqual(CARD);
  });

  it('gives trainers that publish at once a number each', async () => {
    const repository = await fresh();
    const published = await Promise.all(
      Array.from({ length: 5 }, () => repository.publish(DRAFT, FILES, CARD)),
    );
    const numbers = published.map(({ version }) => version).sort();
    expect(numbers).toEqual([1, 2, 3, 4, 5]);
    expect(await repository.listVersions(MODEL)).toEqual(numbers);
    for (const version of numbers)
      expect((await repository.readVersion(MODEL, version)).manifest?.version).toBe(version);
  });

  it('has nothing live until a version is put live, then that one, then the older one again', async () => {
    const repository = await fresh();
    await repository.publish(DRAFT, FILES, CARD);
    await repository.publish(DRAFT, FILES, CARD);
    const live = async (): Promise<number | null> => (await repository.readEntry(MODEL)).live;
    expect(await live()).toBeNull();
    for (const version of [2, 1, null]) {
      await repository.setLiveVersion(MODEL, version);
      expect(await live()).toBe(version);
    }
  });

  it('keeps how a model is served apart from what is live', async () => {
    const repository = await fresh();
    await repository.publish(DRAFT, FILES, CARD);
    await repository.setLiveVersion(MODEL, 1);
    await repository.setServing(MODEL, { aliases: { challenger: 7 }, canary: { version: 7, share: 0.1 } });
    const { live, serving } = await repository.readEntry(MODEL);
    expect(live).toBe(1);
    expect(serving).toMatchObject({
      aliases: { challenger: 7 },
      canary: { version: 7, share: 0.1 },
      versions: [],
    });
    await repository.setLiveVersion(MODEL, 2);
    expect((await repository.readEntry(MODEL)).serving.aliases).toEqual({ challenger: 7 });
  });

  it('marks a version by its files and never changes the mark', async () => {
    const repository = await fresh();
    await repository.publish(DRAFT, FILES, CARD);
    const mark = await repository.findMark(MODEL, 1);
    expect(mark).toMatchObject({ isPlain: false });
    await repository.publish(DRAFT, FILES, CARD);
    await repository.setLiveVersion(MODEL, 1);
    expect(await repository.findMark(MODEL, 1)).toEqual(mark);
    expect(await repository.findMark(MODEL, 2)).not.toEqual(mark);
  });

  it('refuses a version that is not there, by name', async () => {
    const repository = await fresh();
    for (const read of [() => repository.readVersion(MODEL, 3), () => repository.readManifest(MODEL, 3)]) {
      await expect(read()).rejects.toMatchObject({
        code: 'ARTEFACT_INVALID',
        message: expect.stringContaining(`${MODEL}/3`) as string,
      });
    }
  });
});

describe('a model repository in GridFS', () => {
  it('has another revision after every change, also of another process, and the same one without', async () => {
    const { where } = await started();
    const [ours, theirs] = [await open(where), await open(where)];
    const changes: (() => Promise<unknown>)[] = [
      () => theirs.publish(DRAFT, FILES, CARD),
      () => theirs.setLiveVersion(MODEL, 1),
      () => theirs.setServing(MODEL, { versions: [1] }),
      () => theirs.setLiveVersion(MODEL, null),
    ];
    for (const change of changes) {
      const before = await ours.findRevision();
      expect(await ours.findRevision()).toBe(before);
      await change();
      expect(await ours.findRevision()).not.toBe(before);
    }
    expect(await ours.listModels()).toEqual([MODEL]);
  });

  const started = async (): Promise<{ where: string; client: MongoClient }> => {
    const mongo = await startTestMongo();
    const client = new MongoClient(mongo.uri);
    cleanUp.push(
      () => mongo.stop(),
      () => client.close(),
    );
    return { where: mongo.uri, client };
  };

  it('proves the bytes of every file', async () => {
    const { where, client } = await started();
    const repository = await open(where);
    await repository.publish(DRAFT, FILES, CARD);
    const chunks = client.db().collection('models.chunks');
    await chunks.updateMany({}, { $set: { data: Buffer.from('tampered') } });
    await expect(repository.readVersion(MODEL, 1)).rejects.toMatchObject({
      code: expect.stringMatching(/^ARTEFACT_/) as string,
      message: expect.stringContaining(`${MODEL}/1/model.onnx`) as string,
    });
  });

  it('shows nothing of a version whose publication broke off', async () => {
    const { where, client } = await started();
    const repository = await open(where);
    const broken = { ...DRAFT, seed: 'none' as unknown as number };
    await expect(repository.publish(broken, FILES, CARD)).rejects.toThrow();
    expect(await repository.listModels()).toEqual([]);
    expect(await client.db().collection('models.files').countDocuments()).toBe(0);
  });

  it('keeps buckets of one database apart', async () => {
    const { where } = await started();
    const ours = await open(`${where}&bucket=ours`);
    const theirs = await open(`${where}&bucket=theirs`);
    await ours.publish(DRAFT, FILES, CARD);
    expect(await theirs.listModels()).toEqual([]);
  });

  it('says that the store is away, and where, without the password', async () => {
    const repository = await openModelRepository(
      'mongodb://me:secret@127.0.0.1:1/db?bucket=models&serverSelectionTimeoutMS=300',
    );
    cleanUp.push(() => repository.close());
    await expect(repository.listModels()).rejects.toMatchObject({
      code: 'STORE_UNAVAILABLE',
      message: expect.not.stringContaining('secret') as string,
    });
    expect(repository.location).toBe('mongodb://127.0.0.1:1/db?bucket=models');
  });

  it.each(['mongodb://127.0.0.1', 'mongodb://127.0.0.1/', 'mongodb://127.0.0.1/db?bucket=a.b'])(
    'refuses %s',
    async (where) => {
      await expect(openModelRepository(where)).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
    },
  );
});
