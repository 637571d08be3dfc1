import { at, listAt, type ManifestObject } from './helm-chart.js';

export function ofKind(objects: readonly ManifestObject[], kind: string): ManifestObject[] {
  return objects.filter((object) => object.kind === kind);
}

export function component(object: ManifestObject): string {
  return object.metadata.labels['app.kubernetes.io/component'] ?? '';
}

export function find(objects: readonly ManifestObject[], kind: string, name: string): ManifestObject {
  const found = ofKind(objects, kind).find((object) => component(object) === name);
  if (!found) throw new Error(`the chart has no ${kind} for ${name}`);
  return found;
}

export function deploymentOf(objects: readonly ManifestObject[], name: string): ManifestObject {
  return find(objects, 'Deployment', name);
}

export function podOf(objects: readonly ManifestObject[], name: string): unknown {
  return at(deploymentOf(objects, name), 'spec', 'template', 'spec');
}

export function containerOf(objects: readonly ManifestObject[], name: string): unknown {
  const containers = listAt(podOf(objects, name), 'containers');
  if (containers.length !== 1) throw new Error(`${name} has ${containers.length} containers instead of one`);
  return containers[0];
}

/** Names and numbers that a probe or a service may point at. */
export function portsOf(container: unknown): unknown[] {
  return listAt(container, 'ports').flatMap((port) => [at(port, 'name'), at(port, 'containerPort')]);
}
