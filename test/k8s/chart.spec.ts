import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { component, containerOf, deploymentOf, find, ofKind, podOf, portsOf } from './chart-objects.js';
import {
  at,
  findHelm,
  lintChart,
  listAt,
  type ManifestObject,
  renderChart,
  REPOSITORY,
} from './helm-chart.js';
import { schemaDefects } from './kubernetes-schema.js';
import { codeOf, variablesRead } from './source-code.js';

const helm = await findHelm();
if ('missing' in helm) process.stderr.write(`chart checks skipped: ${helm.missing}\n`);
const path = 'path' in helm ? helm.path : '';

const SERVING = ['gateway', 'customer', 'campaign', 'prediction', 'inference-worker'];
const PROCESSES = [...SERVING, 'trainer'];

/** Ways to install the chart that change which objects are made. */
const VARIANTS: Record<string, Record<string, string>> = {
  'as it comes': {},
  'with fixed replicas': Object.fromEntries(
    ['gateway', 'customer', 'campaign', 'prediction', 'inferenceWorker'].map((name) => [
      `${name}.autoscaling.enabled`,
      'false',
    ]),
  ),
  'with remote keys and an existing claim': {
    'gateway.jwksUrl': 'https://issuer.example/jwks.json',
    'gateway.issuer': 'https://issuer.example',
    'modelRepository.existingClaim': 'models',
    'networkPolicy.storeTo[0].ipBlock.cidr': '10.0.0.0/8',
    'prediction.env.LOG_LEVEL': 'debug',
  },
  'with settings of clients and a manifest of documents': {
    'gateway.clients.configMap': 'clients',
    'gateway.documents.configMap': 'documents',
    'gateway.documents.safelist': 'true',
    'gateway.supergraph.configMap': 'supergraph',
    'gateway.partners.urls': 'stock=https://stock.example/graphql',
    'gateway.partners.secret.name': 'partners',
    'gateway.jwksUrl': 'https://issuer.example/jwks.json',
  },
  'with GPUs': {
    'inferenceWorker.gpu.count': '1',
    'inferenceWorker.tolerations[0].key': 'team',
    'inferenceWorker.tolerations[0].operator': 'Exists',
  },
  'with models in GridFS': { 'modelRepository.kind': 'gridfs' },
  'to try it out': {
    'modelRepository.kind': 'emptyDir',
    'networkPolicy.enabled': 'false',
    'trainer.enabled': 'false',
    'inferenceWorker.discovery': 'dns',
  },
};

describe.skipIf('missing' in helm)('Helm chart', () => {
  it('passes helm lint', async () => {
    await expect(lintChart(path)).resolves.toContain('0 chart(s) failed');
  });

  it.each(Object.entries(VARIANTS))(
    'holds only what the Kubernetes API knows, %s',
    async (_name, overrides) => {
      const objects = await renderChart(path, overrides);
      expect(objects.length).toBeGreaterThan(15);
      await expect(schemaDefects(objects)).resolves.toEqual([]);
    },
  );

  it.each([
    ['gateway.replcas', '3'],
    ['gateway.jwksUrl', 'http://issuer.example/jwks.json'],
    ['modelRepository.kind', 'hostPath'],
    ['inferenceWorker.autoscaling.targetPendingRows', '0'],
    ['inferenceWorker.gpu.providers', 'vulkan'],
    ['inferenceWorker.gpu.count', '2'],
    ['inferenceWorker.discovery', 'consul'],
    ['customer.resources.limits.memory', 'lots'],
  ])('refuses the value %s=%s', async (name, value) => {
    await expect(renderChart(path, { [name]: value })).rejects.toThrow(
      /values don't meet the specifications/,
    );
  });
});

describe.skipIf('missing' in helm)('every process of the chart', () => {
  let objects: ManifestObject[] = [];
  beforeAll(async () => {
    objects = await renderChart(path);
  });

  it('is there once', () => {
    expect(ofKind(objects, 'Deployment').map(component).sort()).toEqual([...PROCESSES].sort());
  });

  it.each(PROCESSES)('%s has requests, a memory limit and no CPU limit', (name) => {
    const resources = at(containerOf(objects, name), 'resources');
    expect(at(resources, 'requests')).toEqual({ cpu: expect.any(String), memory: expect.any(String) });
    expect(at(resources, 'limits')).toEqual({ memory: expect.any(String) });
  });

  it.each(SERVING)('%s has probes on ports of its own, liveness apart from readiness', (name) => {
    const container = containerOf(objects, name);
    for (const probe of ['startupProbe', 'livenessProbe', 'readinessProbe']) {
      const target = at(container, probe, 'grpc', 'port') ?? at(container, probe, 'httpGet', 'port');
      expect(portsOf(container), `${probe} of ${name}`).toContain(target);
    }
    expect(at(container, 'livenessProbe', 'httpGet', 'path')).toBe('/health/live');
    const readiness = at(container, 'readinessProbe');
    const ready = at(readiness, 'httpGet', 'path') ?? at(readiness, 'grpc', 'service');
    expect(ready).toBe(name === 'inference-worker' ? 'readiness' : '/health/ready');
  });

  it.each(PROCESSES)(
    '%s runs without root, capabilities, API token or a writable root file system',
    (name) => {
      const pod = podOf(objects, name);
      expect(at(pod, 'automountServiceAccountToken')).toBe(false);
      expect(at(pod, 'securityContext')).toMatchObject({
        runAsNonRoot: true,
        runAsUser: 1000,
        seccompProfile: { type: 'RuntimeDefault' },
      });
      expect(at(containerOf(objects, name), 'securityContext')).toEqual({
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ['ALL'] },
      });
    },
  );

  it.each(SERVING)(
    '%s keeps serving while endpoints forget it, loses one pod at a time and has time to drain',
    (name) => {
      const container = containerOf(objects, name);
      const sleepSeconds = at(container, 'lifecycle', 'preStop', 'sleep', 'seconds');
      expect(sleepSeconds).toBe(5);
      expect(at(podOf(objects, name), 'terminationGracePeriodSeconds')).toBeGreaterThan(5 + 10);
      expect(at(deploymentOf(objects, name), 'spec', 'strategy', 'rollingUpdate', 'maxUnavailable')).toBe(0);
      expect(at(find(objects, 'PodDisruptionBudget', name), 'spec', 'maxUnavailable')).toBe(1);
    },
  );

  it.each(PROCESSES)('%s selects its own pods only, in every object that selects', (name) => {
    const labels = at(deploymentOf(objects, name), 'spec', 'template', 'metadata', 'labels');
    const selectors = objects
      .filter((object) => component(object) === name)
      .flatMap((object) => [
        at(object, 'spec', 'selector', 'matchLabels'),
        at(object, 'spec', 'podSelector', 'matchLabels'),
      ])
      .filter((selector) => selector !== undefined);
    expect(selectors.length).toBeGreaterThan(1);
    for (const selector of selectors) expect(selector).toEqual(labels);
  });

  it('takes every secret by reference', () => {
    const values = PROCESSES.flatMap((name) => listAt(containerOf(objects, name), 'env'));
    const secret = values.filter((entry) => /URI|SECRET/.test(String(at(entry, 'name'))));
    expect(secret.length).toBe(5 + 4 + 1); // MONGODB_URI: all but the worker; the signing secret: gateway and subgraphs; the audit secret: gateway
    for (const entry of secret)
      expect(at(entry, 'valueFrom', 'secretKeyRef', 'name')).toEqual(expect.any(String));
    expect(ofKind(objects, 'Secret')).toEqual([]);
  });

  it('writes to the model repository from the trainer only', () => {
    const mounts = Object.fromEntries(
      PROCESSES.map((name) => [
        name,
        listAt(containerOf(objects, name), 'volumeMounts').find((mount) => at(mount, 'name') === 'models'),
      ]),
    );
    expect(at(mounts, 'trainer', 'readOnly')).toBeUndefined();
    expect(at(mounts, 'trainer', 'mountPath')).toBe('/models');
    expect(at(mounts, 'inference-worker', 'readOnly')).toBe(true);
    expect(ofKind(objects, 'PersistentVolumeClaim').map((claim) => at(claim, 'spec', 'accessModes'))).toEqual(
      [['ReadWriteMany']],
    );
  });
});

describe.skipIf('missing' in helm)('configuration of the chart', () => {
  let objects: ManifestObject[] = [];
  beforeAll(async () => {
    objects = await renderChart(path);
  });

  it.each(PROCESSES)('%s is given only variables that it reads, each once', (name) => {
    const given = listAt(containerOf(objects, name), 'env').map((entry) => String(at(entry, 'name')));
    const read = new Set([...variablesRead(name), 'NODE_ENV']);
    expect(given.filter((variable) => !read.has(variable))).toEqual([]);
    expect(new Set(given).size).toBe(given.length);
  });

  it('scales on a metric that the worker exports', () => {
    const metric = at(
      find(objects, 'HorizontalPodAutoscaler', 'inference-worker'),
      'spec',
      'metrics',
      0,
      'pods',
      'metric',
      'name',
    );
    expect(codeOf('inference-worker/src')).toContain(`'${String(metric)}'`);
    expect(readFileSync(join(REPOSITORY, 'docs/guides/operator.md'), 'utf8')).toContain(
      `seriesQuery: '${String(metric)}{`,
    );
  });

  it('probes health services that the worker knows, on the ports it listens on', () => {
    const container = containerOf(objects, 'inference-worker');
    for (const probe of ['startupProbe', 'readinessProbe']) {
      expect(codeOf('inference-worker/src/health')).toContain(
        `'${String(at(container, probe, 'grpc', 'service'))}'`,
      );
    }
  });

  it('runs a command that the trainer has', () => {
    const [command] = listAt(containerOf(objects, 'trainer'), 'args');
    expect(codeOf('trainer/src')).toContain(`.command('${String(command)}')`);
  });
});

describe.skipIf('missing' in helm)('workers on GPUs', () => {
  it('take one each, in the image that has the providers, on nodes that are kept for them', async () => {
    const objects = await renderChart(path, VARIANTS['with GPUs'] ?? {});
    const container = containerOf(objects, 'inference-worker');
    expect(at(container, 'image')).toMatch(/sextant-inference-worker-gpu:/);
    expect(at(container, 'resources', 'limits')).toEqual({ memory: '2Gi', 'nvidia.com/gpu': 1 });
    expect(at(container, 'resources', 'requests')).toEqual({ cpu: '2', memory: '1Gi' });
    const tolerations = listAt(podOf(objects, 'inference-worker'), 'tolerations');
    expect(tolerations.map((toleration) => at(toleration, 'key'))).toEqual(['nvidia.com/gpu', 'team']);
    const env = listAt(container, 'env').map((entry) => [at(entry, 'name'), at(entry, 'value')]);
    expect(Object.fromEntries(env)).toMatchObject({
      INFERENCE_PROVIDERS: 'cuda,webgpu,cpu',
      INFERENCE_GPU_STRICT: 'true',
    });
    expect(
      env.map(([name]) => name).filter((name) => !variablesRead('inference-worker').includes(String(name))),
    ).toEqual(['NODE_ENV']);
  });

  it('are not what the chart installs by itself', async () => {
    const container = containerOf(await renderChart(path), 'inference-worker');
    expect(at(container, 'image')).toMatch(/sextant-inference-worker:/);
    expect(JSON.stringify(container)).not.toContain('nvidia');
  });
});

describe.skipIf('missing' in helm)('services and autoscaling of the chart', () => {
  let objects: ManifestObject[] = [];
  beforeAll(async () => {
    objects = await renderChart(path);
  });

  it('reaches a named port of the pods through every service', () => {
    for (const service of ofKind(objects, 'Service')) {
      const targets = listAt(service, 'spec', 'ports').map((port) => at(port, 'targetPort'));
      for (const target of targets)
        expect(portsOf(containerOf(objects, component(service)))).toContain(target);
    }
    expect(ofKind(objects, 'Service').map(component).sort()).toEqual([...SERVING].sort());
  });

  it('gives gRPC clients every worker address, so that they take turns', () => {
    expect(at(find(objects, 'Service', 'inference-worker'), 'spec', 'clusterIP')).toBe('None');
  });

  it('addresses each neighbour by a service and a port that exist', () => {
    const services = ofKind(objects, 'Service').map(
      (service) => `${service.metadata.name}:${String(at(service, 'spec', 'ports', 0, 'port'))}`,
    );
    const addresses = PROCESSES.flatMap((name) => listAt(containerOf(objects, name), 'env'))
      .filter((entry) => /^(CUSTOMER|CAMPAIGN|PREDICTION)_URL$/.test(String(at(entry, 'name'))))
      .map((entry) => /^http:\/\/([^/]+)/.exec(String(at(entry, 'value')))?.[1]);
    expect(addresses).toHaveLength(5);
    for (const address of addresses) expect(services).toContain(address);
  });

  it('scales the workers on pending rows, up at once and down slowly', () => {
    const spec = at(find(objects, 'HorizontalPodAutoscaler', 'inference-worker'), 'spec');
    expect(at(spec, 'metrics')).toEqual([
      {
        type: 'Pods',
        pods: {
          metric: { name: 'sextant_inference_pending_rows' },
          target: { type: 'AverageValue', averageValue: '64' },
        },
      },
    ]);
    expect(at(spec, 'behavior', 'scaleUp', 'stabilizationWindowSeconds')).toBe(0);
    expect(at(spec, 'behavior', 'scaleDown', 'stabilizationWindowSeconds')).toBe(300);
  });

  it.each(SERVING)('%s is scaled by its autoscaler alone', (name) => {
    const scaler = find(objects, 'HorizontalPodAutoscaler', name);
    expect(at(scaler, 'spec', 'scaleTargetRef', 'name')).toBe(deploymentOf(objects, name).metadata.name);
    expect(at(scaler, 'spec', 'minReplicas')).toBeGreaterThanOrEqual(2);
    expect(at(deploymentOf(objects, name), 'spec', 'replicas')).toBeUndefined();
  });
});

describe.skipIf('missing' in helm)('network policies of the chart', () => {
  let objects: ManifestObject[] = [];
  beforeAll(async () => {
    objects = await renderChart(path);
  });

  it.each([
    ['customer', ['gateway', 'prediction']],
    ['campaign', ['gateway', 'prediction']],
    ['prediction', ['gateway']],
    ['inference-worker', ['prediction', 'trainer']],
    ['trainer', []],
  ])('%s is called by %j only', (name, callers) => {
    const rules = listAt(find(objects, 'NetworkPolicy', name), 'spec', 'ingress');
    const peers = rules.flatMap((rule) => listAt(rule, 'from'));
    expect(rules.every((rule) => listAt(rule, 'from').length > 0)).toBe(true); // a rule without "from" opens the port to all
    expect(
      peers
        .map((peer) => at(peer, 'podSelector', 'matchLabels', 'app.kubernetes.io/component'))
        .filter(Boolean),
    ).toEqual(callers);
  });

  it.each(PROCESSES)('%s may call exactly the services whose policy lets it in', (name) => {
    const called = listAt(find(objects, 'NetworkPolicy', name), 'spec', 'egress')
      .flatMap((rule) => listAt(rule, 'to'))
      .map((peer) => at(peer, 'podSelector', 'matchLabels', 'app.kubernetes.io/component'));
    const open = PROCESSES.filter((other) =>
      listAt(find(objects, 'NetworkPolicy', other), 'spec', 'ingress')
        .flatMap((rule) => listAt(rule, 'from'))
        .some((peer) => at(peer, 'podSelector', 'matchLabels', 'app.kubernetes.io/component') === name),
    );
    expect(called.sort()).toEqual(open.sort());
  });

  it('lets the worker call nobody', () => {
    expect(at(find(objects, 'NetworkPolicy', 'inference-worker'), 'spec', 'egress')).toEqual([]);
  });

  it('lets the worker reach the store where that holds the models, by a secret and without a volume', async () => {
    const inStore = await renderChart(path, { 'modelRepository.kind': 'gridfs' });
    const ports = listAt(find(inStore, 'NetworkPolicy', 'inference-worker'), 'spec', 'egress').flatMap(
      (rule) => listAt(rule, 'ports').map((each) => at(each, 'port')),
    );
    expect(ports).toContain(27_017);
    for (const name of ['inference-worker', 'trainer']) {
      const repository = listAt(containerOf(inStore, name), 'env').find(
        (variable) => at(variable, 'name') === 'MODEL_REPOSITORY',
      );
      expect(at(repository, 'valueFrom', 'secretKeyRef')).toEqual({ name: 'sextant-models', key: 'uri' });
      expect(listAt(podOf(inStore, name), 'volumes').map((each) => at(each, 'name'))).not.toContain('models');
    }
    expect(ofKind(inStore, 'PersistentVolumeClaim')).toEqual([]);
  });
});
