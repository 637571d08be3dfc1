import {
  completeManifest,
  type Manifest,
  type ManifestDraft,
  type ModelCard,
  type ModelEntry,
  type ModelRepository,
  isModelName,
  parseManifest,
  parseServingConfig,
  readProvenFiles,
  refuseUsed,
  type ServingConfig,
  servingConfig,
  sharedBuffer,
  type StoredVersion,
  type VersionMark,
} from '@sextant/artefacts';
import { DomainError } from '@sextant/domain';
import {
  type Collection,
  GridFSBucket,
  MongoClient,
  MongoServerError,
  ObjectId,
  type UpdateFilter,
} from 'mongodb';

/** One version; the document is written last, so that a version is there whole or not at all. */
interface VersionDocument {
  /** `<model>@<version>` */
  _id: string;
  model: string;
  version: number;
  manifest: Manifest;
  card: ModelCard;
  /** GridFS files of the manifest's paths, in its order */
  fileIds: ObjectId[];
}

/** How a model is served. */
interface PointerDocument {
  /** model */
  _id: string;
  live: number | null;
  /** the text of `serving.json` */
  serving?: string;
  /** of {@link REVISION} only: counts the changes of the repository */
  revision?: number;
}

interface Link {
  client: MongoClient;
  bucket: GridFSBucket;
  versions: Collection<VersionDocument>;
  pointers: Collection<PointerDocument>;
}

/** No name of a model: where workers see that something changed, with one read for all models. */
const REVISION = '.revision';
const DUPLICATE_KEY = 11_000;
/** Trainers that publish the same model at once take the next number each. */
const MOST_ATTEMPTS = 20;

/**
 * A model repository in MongoDB, for clusters without a shared volume: `<bucket>.files` and `.chunks` (GridFS) hold the files,
 * `<bucket>.versions` manifests and cards, `<bucket>.pointers` what is live and how.
 */
export class GridFsRepository implements ModelRepository {
  readonly location: string;
  private link: Promise<Link> | null = null;

  /**
   * Does not connect yet: the first use does.
   *
   * @param uri     names a database of a MongoDB
   * @param bucket  prefix of the collections
   * @throws MongoParseError
   */
  constructor(
    private readonly uri: string,
    private readonly bucket: string,
  ) {
    const { options } = new MongoClient(uri);
    const hosts = options.hosts.map((host) => host.toString()).join(',');
    this.location = `mongodb://${hosts}/${options.dbName}?bucket=${bucket}`;
  }

  /** The database comes into being with its first document; what is loaded is retired by an empty list of models. */
  async isThere(): Promise<boolean> {
    await this.reach(({ client }) => client.db().command({ ping: 1 }));
    return true;
  }

  async findRevision(): Promise<string> {
    const found = await this.reach(({ pointers }) => pointers.findOne({ _id: REVISION }));
    return String(found?.revision ?? 0);
  }

  listModels(): Promise<string[]> {
    return this.reach(async ({ versions }) => (await versions.distinct('model')).sort());
  }

  listVersions(model: string): Promise<number[]> {
    return this.reach(async ({ versions }) => {
      const found = await versions
        .find({ model })
        .project<{ version: number }>({ version: 1 })
        .sort({ version: 1 })
        .toArray();
      return found.map(({ version }) => version);
    });
  }

  async readEntry(model: string): Promise<ModelEntry> {
    const [versions, pointer] = await Promise.all([
      this.listVersions(model),
      this.reach(({ pointers }) => pointers.findOne({ _id: model })),
    ]);
    const serving = parseServingConfig(model, pointer?.serving ?? '{}');
    return { versions, live: pointer?.live ?? null, serving };
  }

  async findMark(model: string, version: number): Promise<VersionMark | null> {
    const found = await this.reach(({ versions }) =>
      versions.findOne({ _id: idOf(model, version) }, { projection: { fileIds: 1 } }),
    );
    return found ? { stamp: found.fileIds.join(' '), isPlain: false } : null;
  }

  async readVersion(model: string, version: number): Promise<StoredVersion & { manifest: Manifest }> {
    const document = await this.getDocument(model, version);
    const manifest = parseManifest(model, version, document.manifest);
    const ids = new Map(manifest.files.map(({ path }, i) => [path, document.fileIds[i]]));
    const read = (path: string): Promise<Buffer> =>
      this.reach(({ bucket }) => download(bucket, ids.get(path)));
    return { manifest, files: await readProvenFiles(manifest, read) };
  }

  async readManifest(model: string, version: number): Promise<Manifest> {
    return parseManifest(model, version, (await this.getDocument(model, version)).manifest);
  }

  async readCard(model: string, version: number): Promise<ModelCard> {
    return (await this.getDocument(model, version)).card;
  }

  async publish(
    draft: ManifestDraft,
    files: ReadonlyMap<string, Uint8Array>,
    card: ModelCard,
  ): Promise<Manifest> {
    if (!isModelName(draft.model)) {
      throw new DomainError('INVALID_INPUT', `"${draft.model}" is no name of a model`, { path: 'model' });
    }
    // A bad manifest is refused before anything is written.
    completeManifest(draft, 1, files);
    return this.reach(async ({ bucket, versions, pointers }) => {
      const fileIds = await uploadAll(bucket, draft.model, files);
      // Whether an insertion that failed was made cannot be known: the files stay, unnamed at worst.
      const manifest = await insertNext(versions, draft, { files, fileIds, card });
      await countChange(pointers);
      return manifest;
    });
  }

  async setLiveVersion(model: string, version: number | null): Promise<void> {
    await this.point(model, { $set: { live: version } });
  }

  async setServing(model: string, serving: Partial<ServingConfig>): Promise<void> {
    const text = JSON.stringify(servingConfig.parse(serving));
    await this.point(model, { $set: { serving: text }, $setOnInsert: { live: null } });
  }

  async removeVersion(model: string, version: number): Promise<void> {
    const entry = await this.readEntry(model);
    if (!entry.versions.includes(version)) return;
    refuseUsed(model, version, entry);
    const { fileIds } = await this.getDocument(model, version);
    await this.reach(async ({ bucket, versions, pointers }) => {
      // Files without a version are waste; a version without files would be refused by every worker.
      await versions.deleteOne({ _id: idOf(model, version) });
      await countChange(pointers);
      await Promise.all(fileIds.map((id) => bucket.delete(id)));
    });
  }

  async close(): Promise<void> {
    const link = await this.link?.catch(() => null);
    await link?.client.close();
  }

  private async point(model: string, change: UpdateFilter<PointerDocument>): Promise<void> {
    await this.reach(async ({ pointers }) => {
      await pointers.updateOne({ _id: model }, change, { upsert: true });
      await countChange(pointers);
    });
  }

  private async getDocument(model: string, version: number): Promise<VersionDocument> {
    const found = await this.reach(({ versions }) => versions.findOne({ _id: idOf(model, version) }));
    if (found) return found;
    throw new DomainError('ARTEFACT_INVALID', `${model}/${version} is not in ${this.location}`);
  }

  /** @throws DomainError STORE_UNAVAILABLE when the store cannot be reached or is too slow */
  private async reach<T>(use: (link: Link) => Promise<T>): Promise<T> {
    try {
      this.link ??= this.connect();
      return await use(await this.link);
    } catch (cause) {
      if (!isOutage(cause)) throw cause;
      const message = `the model repository ${this.location} cannot be reached: check MODEL_REPOSITORY and the store`;
      throw new DomainError('STORE_UNAVAILABLE', message, { cause });
    }
  }

  /** A client whose first connection failed stays closed for good, so the next use takes another one. */
  private async connect(): Promise<Link> {
    const client = new MongoClient(this.uri);
    try {
      await client.connect();
    } catch (error) {
      this.link = null;
      await client.close();
      throw error;
    }
    const db = client.db();
    return {
      client,
      bucket: new GridFSBucket(db, { bucketName: this.bucket }),
      versions: db.collection(`${this.bucket}.versions`),
      pointers: db.collection(`${this.bucket}.pointers`),
    };
  }
}

async function countChange(pointers: Collection<PointerDocument>): Promise<void> {
  await pointers.updateOne(
    { _id: REVISION },
    { $inc: { revision: 1 }, $setOnInsert: { live: null } },
    { upsert: true },
  );
}

async function insertNext(
  versions: Collection<VersionDocument>,
  draft: ManifestDraft,
  parts: { files: ReadonlyMap<string, Uint8Array>; fileIds: ObjectId[]; card: ModelCard },
): Promise<Manifest> {
  const { files, fileIds, card } = parts;
  const { model } = draft;
  for (let attempt = 1; ; attempt += 1) {
    const newest = await versions.find({ model }).sort({ version: -1 }).limit(1).next();
    const version = (newest?.version ?? 0) + 1;
    const manifest = completeManifest(draft, version, files);
    try {
      const _id = idOf(model, version);
      await versions.insertOne(
        { _id, model, version, manifest, card, fileIds },
        { writeConcern: { w: 'majority' } },
      );
      return manifest;
    } catch (error) {
      const isTaken = error instanceof MongoServerError && error.code === DUPLICATE_KEY;
      if (!isTaken || attempt === MOST_ATTEMPTS) throw error;
    }
  }
}

async function uploadAll(
  bucket: GridFSBucket,
  model: string,
  files: ReadonlyMap<string, Uint8Array>,
): Promise<ObjectId[]> {
  const fileIds: ObjectId[] = [];
  try {
    for (const [path, content] of files) fileIds.push(await upload(bucket, `${model}/${path}`, content));
    return fileIds;
  } catch (error) {
    await Promise.allSettled(fileIds.map((id) => bucket.delete(id)));
    throw error;
  }
}

function upload(bucket: GridFSBucket, name: string, content: Uint8Array): Promise<ObjectId> {
  return new Promise((resolve, reject) => {
    const stream = bucket.openUploadStream(name);
    stream.once('error', reject).once('finish', () => resolve(stream.id as ObjectId));
    stream.end(Buffer.from(content.buffer, content.byteOffset, content.byteLength));
  });
}

async function download(bucket: GridFSBucket, id: ObjectId | undefined): Promise<Buffer> {
  const [file] = id ? await bucket.find({ _id: id }).limit(1).toArray() : [];
  if (!file) throw new Error('the file is not there');
  const content = sharedBuffer(file.length);
  let at = 0;
  for await (const chunk of bucket.openDownloadStream(file._id)) {
    at += (chunk as Buffer).copy(content, at);
  }
  return content.subarray(0, at);
}

/** By name: which classes these are differs between versions of the driver. */
function isOutage(error: unknown): boolean {
  return (
    error instanceof Error &&
    /^Mongo(?:ServerSelection|Network|NetworkTimeout|OperationTimeout|NotConnected|PoolClosed|TopologyClosed|PoolCleared|ExpiredSession)Error$/.test(
      error.name,
    )
  );
}

function idOf(model: string, version: number): string {
  return `${model}@${version}`;
}
