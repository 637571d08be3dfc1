import { describe, expect, it } from 'vitest';
import { containerOf, find } from './chart-objects.js';
import { at, findHelm, listAt, type ManifestObject, renderChart } from './helm-chart.js';
import { schemaDefects } from './kubernetes-schema.js';

const helm = await findHelm();
const path = 'path' in helm ? helm.path : '';
const TRACED = ['gateway', 'customer', 'campaign', 'prediction', 'inference-worker'];

const endpointOf = (objects: readonly ManifestObject[], name: string): unknown => {
  const variables = listAt(containerOf(objects, name), 'env');
  const variable = variables.find((each) => at(each, 'name') === 'OTEL_EXPORTER_OTLP_ENDPOINT');
  return variable && at(variable, 'value');
};
const egressOf = (objects: readonly ManifestObject[], name: string) =>
  listAt(find(objects, 'NetworkPolicy', name), 'spec', 'egress').flatMap((rule) =>
    listAt(rule, 'ports').flatMap((port) => (at(port, 'port') === 4318 ? [listAt(rule, 'to')] : [])),
  );

describe.skipIf('missing' in helm)('tracing in the chart', () => {
  it('is off by itself, and no port is open for it', async () => {
    const objects = await renderChart(path);
    for (const name of TRACED) {
      expect(endpointOf(objects, name)).toBeUndefined();
      expect(egressOf(objects, name)).toEqual([]);
    }
  });

  it('tells every process where the collector is and lets it through to it', async () => {
    const endpoint = 'http://collector.monitoring:4318';
    const peer = { 'tracing.collectorTo[0].ipBlock.cidr': '10.1.0.0/16' };
    const objects = await renderChart(path, { 'tracing.endpoint': endpoint, ...peer });
    for (const name of TRACED) {
      expect(endpointOf(objects, name)).toBe(endpoint);
      expect(egressOf(objects, name)).toEqual([[{ ipBlock: { cidr: '10.1.0.0/16' } }]]);
    }
    expect(endpointOf(objects, 'trainer')).toBeUndefined();
    expect(egressOf(objects, 'trainer')).toEqual([]);
    await expect(schemaDefects(objects)).resolves.toEqual([]);
  });

  it('refuses what is no address', async () => {
    await expect(renderChart(path, { 'tracing.endpoint': 'collector:4318' })).rejects.toThrow(/tracing/);
  });
});
