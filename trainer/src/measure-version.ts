import { MONITOR_FILE, type ModelRepository, monitoringReference, type Manifest } from '@sextant/artefacts';
import type { Gate } from '@sextant/model-registry';
import { cardGate, latencyGate, liveGate, type OpenedVersion, parityGate } from '@sextant/training/gates';
import type { TrainedModel } from './publisher.js';
import type { VersionFindings } from './training-messages.js';

/**
 * What is found out about a version once it lies in the repository: its files are read again from there, proven by their hashes,
 * run, and held against the fitted model and the live version.
 *
 * @throws DomainError ARTEFACT_INVALID, ARTEFACT_HASH_MISMATCH when what was written is not there
 */
export async function measureVersion(
  repository: ModelRepository,
  manifest: Manifest,
  trained: TrainedModel,
): Promise<VersionFindings> {
  const { evidence, card } = trained;
  const version = await open(repository, manifest.model, manifest.version);
  const live = await openLive(repository, manifest.model);
  const gates: Gate[] = [
    ...evidence.gates,
    await parityGate(version, evidence.probe),
    await latencyGate(version, live),
    cardGate(manifest, card),
    await liveGate({ manifest, evidence }, live, manifest.seed),
  ];
  return { gates, importance: importanceOf(trained), fairness: evidence.fairness };
}

async function open(repository: ModelRepository, model: string, version: number): Promise<OpenedVersion> {
  const { files } = await repository.readVersion(model, version);
  const manifest = await repository.readManifest(model, version);
  return { manifest, onnx: files.get('model.onnx') ?? new Uint8Array() };
}

/** Null where nothing is live, and where what is live cannot be read any more: that must not keep its successor out. */
async function openLive(repository: ModelRepository, model: string): Promise<OpenedVersion | null> {
  const { live } = await repository.readEntry(model);
  return live === null ? null : open(repository, model, live).catch(() => null);
}

/** Measured by the training, or as the monitoring reference has it. */
function importanceOf({ evidence, files }: TrainedModel): Record<string, number> {
  if (Object.keys(evidence.importance).length > 0) return evidence.importance;
  const file = files.get(MONITOR_FILE);
  if (file === undefined) return {};
  const { features } = monitoringReference.parse(JSON.parse(Buffer.from(file).toString('utf8')));
  const total = features.reduce((sum, { importance }) => sum + importance, 0);
  if (!(total > 0)) return {};
  return Object.fromEntries(features.map(({ name, importance }) => [name, importance / total]));
}
