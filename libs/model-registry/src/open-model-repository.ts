import { ModelDirectory, type ModelRepository } from '@sextant/artefacts';
import { DomainError } from '@sextant/domain';

const MONGO_URI = /^mongodb(?:\+srv)?:\/\//;
const STORE_TIMEOUT_MS = 10_000;

/**
 * The repository that `MODEL_REPOSITORY` names: `mongodb://…/<database>?bucket=<name>` (bucket `models` where none is named), or a
 * directory. The store is waited for at most 10 s, unless the string says `serverSelectionTimeoutMS`, `connectTimeoutMS` and `socketTimeoutMS`.
 *
 * @throws DomainError CONFIG_INVALID for a connection string that is none, or names no database
 */
export async function openModelRepository(where: string): Promise<ModelRepository> {
  if (!MONGO_URI.test(where)) return new ModelDirectory(where);
  // Loaded only where it is used: the driver takes a tenth of a second to load.
  const { GridFsRepository } = await import('./grid-fs.repository.js');
  const { uri, bucket } = splitBucket(where);
  try {
    return new GridFsRepository(uri, bucket);
  } catch (cause) {
    const message =
      'MODEL_REPOSITORY is no connection string of MongoDB: write mongodb://host/database?bucket=models';
    throw new DomainError('CONFIG_INVALID', message, { cause });
  }
}

/** The driver refuses options that it does not know, so the bucket is taken out of the string. */
function splitBucket(where: string): { uri: string; bucket: string } {
  const [base = '', query = ''] = where.split(/\?(.*)/s);
  const options = new URLSearchParams(query);
  const bucket = options.get('bucket') ?? 'models';
  options.delete('bucket');
  if (!/^[a-z0-9][a-z0-9_-]{0,62}$/i.test(bucket)) {
    throw new DomainError('CONFIG_INVALID', `MODEL_REPOSITORY: "${bucket}" cannot be the name of a bucket`);
  }
  if (!/^mongodb(?:\+srv)?:\/\/[^/]+\/[^/]+$/.test(base)) {
    throw new DomainError(
      'CONFIG_INVALID',
      'MODEL_REPOSITORY names no database: write mongodb://host/database?bucket=models',
    );
  }
  const named = new Set([...options.keys()].map((name) => name.toLowerCase()));
  for (const name of ['serverSelectionTimeoutMS', 'connectTimeoutMS', 'socketTimeoutMS']) {
    if (!named.has(name.toLowerCase())) options.set(name, String(STORE_TIMEOUT_MS));
  }
  return { uri: `${base}?${options.toString()}`, bucket };
}
