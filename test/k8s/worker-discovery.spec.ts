import { parseWorkerAddress } from '@sextant/inference-protocol';
import { describe, expect, it } from 'vitest';
import { containerOf, find, ofKind, podOf } from './chart-objects.js';
import { at, findHelm, listAt, type ManifestObject, renderChart } from './helm-chart.js';
import { codeOf } from './source-code.js';

const helm = await findHelm();
if ('missing' in helm) process.stderr.write(`chart checks skipped: ${helm.missing}\n`);
const path = 'path' in helm ? helm.path : '';

const PROCESSES = ['gateway', 'customer', 'campaign', 'prediction', 'inference-worker', 'trainer'];

describe.skipIf('missing' in helm)('how prediction finds the workers', () => {
  const ACCOUNT = '/var/run/secrets/kubernetes.io/serviceaccount';
  const urlOf = (objects: ManifestObject[]): unknown =>
    at(
      listAt(containerOf(objects, 'prediction'), 'env').find(
        (entry) => at(entry, 'name') === 'INFERENCE_URL',
      ),
      'value',
    );
  const mountsApi = (objects: ManifestObject[]): string[] =>
    PROCESSES.filter((name) =>
      listAt(containerOf(objects, name), 'volumeMounts').some((mount) => at(mount, 'mountPath') === ACCOUNT),
    );

  it('is from the EndpointSlices of the service that exists, by the name of a port that it has', async () => {
    const objects = await renderChart(path);
    const address = parseWorkerAddress(String(urlOf(objects)));
    const service = find(objects, 'Service', 'inference-worker');
    expect(address).toEqual({
      kind: 'kubernetes',
      service: service.metadata.name,
      namespace: 'default',
      port: at(service, 'spec', 'ports', 0, 'name'),
    });
  });

  it('takes an account of its own that may read EndpointSlices and nothing else, with a token that only it mounts', async () => {
    const objects = await renderChart(path);
    const account = at(podOf(objects, 'prediction'), 'serviceAccountName');
    const others = PROCESSES.filter((name) => name !== 'prediction');
    for (const name of others) expect(at(podOf(objects, name), 'serviceAccountName')).not.toBe(account);
    expect(ofKind(objects, 'Role').map((role) => at(role, 'rules'))).toEqual([
      [{ apiGroups: ['discovery.k8s.io'], resources: ['endpointslices'], verbs: ['get', 'list', 'watch'] }],
    ]);
    const binding = find(objects, 'RoleBinding', 'prediction');
    expect(at(binding, 'roleRef', 'name')).toBe(find(objects, 'Role', 'prediction').metadata.name);
    expect(at(binding, 'subjects')).toEqual([
      { kind: 'ServiceAccount', name: account, namespace: 'default' },
    ]);
    expect(ofKind(objects, 'ServiceAccount').map(({ metadata }) => metadata.name)).toContain(account);
    expect(mountsApi(objects)).toEqual(['prediction']);
    const volumes = listAt(podOf(objects, 'prediction'), 'volumes');
    const volume = volumes.find((each) => at(each, 'name') === 'kubernetes-api');
    const sources = listAt(at(volume, 'projected'), 'sources');
    expect(sources.map((source) => at(source, 'serviceAccountToken', 'path'))).toContain('token');
    expect(sources.map((source) => at(source, 'configMap', 'items', 0, 'path'))).toContain('ca.crt');
    const api = codeOf('libs/inference-protocol/src/discovery');
    for (const file of [ACCOUNT, '/token', '/ca.crt']) expect(api).toContain(file);
  });

  it('needs no access to the Kubernetes API by DNS', async () => {
    const objects = await renderChart(path, { 'inferenceWorker.discovery': 'dns' });
    const service = find(objects, 'Service', 'inference-worker');
    expect(parseWorkerAddress(String(urlOf(objects)))).toMatchObject({
      kind: 'dns',
      host: service.metadata.name,
      port: at(service, 'spec', 'ports', 0, 'port'),
    });
    expect([...ofKind(objects, 'Role'), ...ofKind(objects, 'RoleBinding')]).toEqual([]);
    expect(mountsApi(objects)).toEqual([]);
    const egress = listAt(find(objects, 'NetworkPolicy', 'prediction'), 'spec', 'egress');
    const ports = egress.flatMap((rule) => listAt(rule, 'ports').map((port) => at(port, 'port')));
    expect(ports).not.toContain(443);
  });

  it('is let through to the Kubernetes API for prediction alone', async () => {
    const objects = await renderChart(path);
    const open = PROCESSES.filter((name) =>
      listAt(find(objects, 'NetworkPolicy', name), 'spec', 'egress').some((rule) =>
        listAt(rule, 'ports').some((port) => at(port, 'port') === 6443),
      ),
    );
    expect(open).toEqual(['prediction']);
  });
});
