import { MONITOR_FILE, type MonitoringReference, monitoringReference } from '@sextant/artefacts';

/** The file that a manifest names as `monitorFile`. Equal references give equal bytes. @throws ZodError for one that is none */
export function monitorFileOf(reference: MonitoringReference): [path: string, content: Uint8Array] {
  const text = JSON.stringify(monitoringReference.parse(reference));
  return [MONITOR_FILE, new TextEncoder().encode(`${text}\n`)];
}
