import {
  type Manifest,
  type ModelRepository,
  type MonitoringReference,
  monitoringReference,
} from '@sextant/artefacts';
import { planOfReference, type SketchPlan } from '@sextant/learning/sketch';

/** A version that is watched, with what it is compared with. */
export interface WatchedVersion {
  manifest: Manifest;
  reference: MonitoringReference;
  plan: SketchPlan;
}

const MOST_KEPT = 64;

/** References of versions, read once each: a version never changes. */
export class WatchedVersions {
  private readonly kept = new Map<string, WatchedVersion>();

  constructor(
    private readonly repository: Pick<ModelRepository, 'findMark' | 'readManifest' | 'readVersion'>,
  ) {}

  /**
   * @returns null for a version that has no reference, or whose files were removed
   * @throws DomainError ARTEFACT_INVALID, ARTEFACT_HASH_MISMATCH, INVALID_INPUT for files that are not what the trainer wrote
   */
  async find(model: string, version: number): Promise<WatchedVersion | null> {
    const key = `${model}@${version}`;
    const known = this.kept.get(key);
    if (known) return known;
    const mark = await this.repository.findMark(model, version);
    if (mark === null || mark.isPlain) return null;
    const manifest = await this.repository.readManifest(model, version);
    if (manifest.monitorFile === undefined) return null;
    const { files } = await this.repository.readVersion(model, version);
    const content = files.get(manifest.monitorFile)?.toString('utf8');
    if (content === undefined) return null;
    const reference = monitoringReference.parse(JSON.parse(content));
    const watched = { manifest, reference, plan: planOfReference(reference) };
    this.kept.set(key, watched);
    const [oldest] = this.kept.keys();
    if (this.kept.size > MOST_KEPT && oldest !== undefined) this.kept.delete(oldest);
    return watched;
  }
}
