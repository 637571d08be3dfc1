import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { ofKind } from './chart-objects.js';
import { at, findHelm, listAt, type ManifestObject, renderChart, REPOSITORY } from './helm-chart.js';

const helm = await findHelm();
const path = 'path' in helm ? helm.path : '';
const documented = (file: string): string => readFileSync(join(REPOSITORY, 'docs', file), 'utf8');

describe.skipIf('missing' in helm)('alerts of the chart', () => {
  let objects: ManifestObject[] = [];
  let rules: unknown[] = [];
  beforeAll(async () => {
    objects = await renderChart(path, { 'alerts.enabled': 'true', 'alerts.labels.release': 'prometheus' });
    rules = ofKind(objects, 'PrometheusRule')
      .flatMap((rule) => listAt(rule, 'spec', 'groups'))
      .flatMap((group) => listAt(group, 'rules'));
  });

  it('are made where they are wanted only, since the cluster must know their kind', async () => {
    expect(ofKind(await renderChart(path), 'PrometheusRule')).toEqual([]);
    const [rule] = ofKind(objects, 'PrometheusRule');
    expect(at(rule, 'apiVersion')).toBe('monitoring.coreos.com/v1');
    expect(at(rule, 'metadata', 'labels', 'release')).toBe('prometheus');
  });

  it('read metrics that worker, trainer and gateway have, by labels that these have', () => {
    const rows = documented('reference/metrics.md')
      .split('\n')
      .map((row) => /^\| `(\w+)` \| \w+ \| (.*?) \|/.exec(row) ?? []);
    const labelsOf = new Map(rows.map(([, name = '', labels = '']) => [name, labels]));
    expect(rules.length).toBeGreaterThanOrEqual(7);
    for (const rule of rules) {
      const expression = String(at(rule, 'expr'));
      const names = expression.match(/sextant_\w+/g) ?? [];
      expect(names.length).toBeGreaterThan(0);
      for (const name of names) {
        const labels = labelsOf.get(name.replace(/_(bucket|count)$/, ''));
        expect([name, labels]).toEqual([name, expect.any(String)]);
        const matched = expression.slice(expression.indexOf(name)).match(/^\w+\{(\w+)=/)?.[1];
        if (matched !== undefined) expect(labels).toContain(`\`${matched}\``);
        if (expression.includes('model)')) expect(labels).toContain('`model`');
      }
    }
  });

  it('say what is wrong, how bad it is, and where the guide tells what to do', () => {
    const guide = documented('guides/operator.md');
    for (const rule of rules) {
      expect(at(rule, 'annotations', 'summary')).toMatch(/^\S.*\.$/);
      expect(['warning', 'critical']).toContain(at(rule, 'labels', 'severity'));
      expect(guide).toContain(`| \`${String(at(rule, 'alert'))}\` |`);
    }
  });
});
