import { type ModelRepository, parseServingConfig, type ServingConfig } from '@sextant/artefacts';
import { DomainError } from '@sextant/domain';

/** How a model is served, as JSON for people. */
export async function showServing(repository: ModelRepository, model: string): Promise<string> {
  const { live, versions, serving } = await repository.readEntry(model);
  return JSON.stringify({ model, live, versions, serving }, null, 2);
}

/**
 * Replaces how a model is served; workers follow with their next look.
 *
 * @param text  the content of a `serving.json`
 * @throws DomainError ARTEFACT_INVALID naming the bad field, MODEL_VERSION_NOT_FOUND for a version that the repository lacks
 */
export async function replaceServing(
  repository: ModelRepository,
  model: string,
  text: string,
): Promise<string> {
  const serving = parseServingConfig(model, text);
  const versions = await repository.listVersions(model);
  const missing = versionsIn(serving).find((version) => !versions.includes(version));
  if (missing !== undefined) {
    const known = versions.length === 0 ? 'none' : versions.join(', ');
    const message = `model "${model}" has no version ${missing} in ${repository.location}, it has ${known}`;
    throw new DomainError('MODEL_VERSION_NOT_FOUND', message, { path: 'version' });
  }
  await repository.setServing(model, serving);
  return showServing(repository, model);
}

function versionsIn({ aliases, versions, canary, shadow }: ServingConfig): number[] {
  const shares = [canary, shadow].flatMap((share) => (share ? [share.version] : []));
  return [...Object.values(aliases), ...versions, ...shares];
}
