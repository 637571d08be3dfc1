import type { TestProject } from 'vitest/node';
import { type Access, ALL_LEARNT, readAccess, startSextant } from './running-sextant.js';

export interface DemoSextant {
  dataDir: string;
  access: Access;
  startSeconds: number;
  output: string;
}

declare module 'vitest' {
  interface ProvidedContext {
    sextant: DemoSextant;
  }
}

/**
 * One Sextant with the demo company for all stories that do not break it; stories use tenants of their own to write. With
 * SEXTANT_E2E_DATA_DIR it is the one that runs on that folder already: quicker while a story is written.
 */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const existing = process.env['SEXTANT_E2E_DATA_DIR'];
  if (existing) {
    const access = await readAccess(existing);
    project.provide('sextant', { dataDir: existing, access, startSeconds: 0, output: '' });
    return () => Promise.resolve();
  }
  const running = await startSextant({ until: ALL_LEARNT, limitMs: 1_500_000 });
  const { dataDir, access, startSeconds, output } = running;
  project.provide('sextant', { dataDir, access, startSeconds, output });
  return () => running.stop();
}
