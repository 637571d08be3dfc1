import { describe, expect, it } from 'vitest';
import { manifestObject, type ManifestObject } from './helm-chart.js';
import { schemaDefects } from './kubernetes-schema.js';

describe('schemaDefects', () => {
  it('accepts a correct object', async () => {
    await expect(
      schemaDefects([aDeployment({ name: 'gateway', image: 'sextant-gateway:1' })]),
    ).resolves.toEqual([]);
  });

  it('names a misspelt field', async () => {
    const defects = await schemaDefects([aDeployment({ name: 'gateway', image: 'x', livenesProbe: {} })]);
    expect(defects).toEqual([expect.stringMatching(/^Deployment\/demo: .*livenesProbe/)]);
  });

  it('names a missing field', async () => {
    const defects = await schemaDefects([aDeployment({ image: 'x' })]);
    expect(defects.join('\n')).toMatch(/^Deployment\/demo: .*name/);
  });

  it('names a value of the wrong type', async () => {
    const defects = await schemaDefects([
      aDeployment({ name: 'gateway', image: 'x', env: [{ name: 'PORT', value: 4000 }] }),
    ]);
    expect(defects.join('\n')).toMatch(/Deployment\/demo: .*string/);
  });
});

function aDeployment(container: object): ManifestObject {
  const labels = { app: 'demo' };
  return manifestObject.parse({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'demo', labels },
    spec: {
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { containers: [container] } },
    },
  });
}
