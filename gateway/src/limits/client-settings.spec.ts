import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Identity } from '@sextant/domain';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { type ClientFile, ClientRegistry, readClientFile } from './client-settings.js';
import { limitSettings } from './limits.config.js';
import { protections } from './protections.js';

const config = (more: Record<string, string> = {}) => z.object(limitSettings).parse(more);
const identity = (more: Partial<Identity> = {}): Identity => ({
  ...{ subject: 'anna', tenantId: 'demo', roles: ['analyst', 'marketer'], scopes: [] },
  ...more,
});
const path = join(mkdtempSync(join(tmpdir(), 'sextant-clients-')), 'clients.json');
const written = (content: unknown): ClientFile => {
  writeFileSync(path, JSON.stringify(content));
  return readClientFile(path);
};
const file = (more: object): ClientFile => written({ format: 'sextant-clients', version: 1, ...more });

describe('settings of a client', () => {
  it('are those of the process where no file says anything', () => {
    const clients = new ClientRegistry(config({ SEXTANT_GATEWAYS: '4' }), () => null, false);
    expect(clients.settingsFor(identity(), 'company')).toEqual({
      ...{ maxCost: 10_000, costRate: 62_500, costBurst: 250_000, tenantRate: null },
      ...{ documents: 'apq', batching: true, introspection: true },
    });
    expect(clients.settingsFor(identity(), 'partner')).toMatchObject({ documents: 'apq', batching: false });
  });

  it('hold partners to the manifest where there is one', () => {
    const clients = new ClientRegistry(config(), () => null, true);
    expect(clients.settingsFor(identity(), 'partner').documents).toBe('safelist');
    expect(clients.settingsFor(identity(), 'company').documents).toBe('apq');
    const open = new ClientRegistry(config({ SEXTANT_PARTNER_DOCUMENTS: 'open' }), () => null, true);
    expect(open.settingsFor(identity(), 'partner').documents).toBe('open');
  });

  it('go from the widest to the narrowest, a tenant bounds them all', () => {
    const stated = file({
      defaults: { maxCost: 100, costRate: 1, introspection: false },
      audiences: { partner: { maxCost: 50, documents: 'open', batching: true } },
      roles: { marketer: { maxCost: 200 }, analyst: { maxCost: 300, costRate: 9 } },
      clients: { 'subject:bert': { maxCost: 400 }, shop: { maxCost: 5_000, documents: 'safelist' } },
      tenants: { demo: { maxCost: 1_000, costRate: 7 } },
    });
    const clients = new ClientRegistry(config(), () => stated, false);
    const maxCost = (of: Partial<Identity>, audience: 'company' | 'partner' = 'company') =>
      clients.settingsFor(identity(of), audience).maxCost;
    expect(maxCost({ roles: [] })).toBe(100);
    expect(maxCost({ roles: [] }, 'partner')).toBe(50);
    expect(maxCost({})).toBe(200); // the first role of the file that the caller has
    expect(maxCost({ subject: 'bert' })).toBe(400);
    expect(maxCost({ clientId: 'shop', subject: 'bert' })).toBe(1_000);
    expect(maxCost({ clientId: 'shop', tenantId: 'other' })).toBe(5_000);
    expect(clients.settingsFor(identity({ clientId: 'shop' }), 'company')).toMatchObject({
      ...{ documents: 'safelist', costRate: 1, introspection: false },
      tenantRate: { costRate: 7, costBurst: 70 },
    });
    expect(clients.settingsFor(identity({ roles: [] }), 'partner')).toMatchObject({
      ...{ documents: 'open', batching: false },
    });
  });

  it('are not those of what objects have anyway', () => {
    const clients = new ClientRegistry(config(), () => file({}), false);
    const settings = clients.settingsFor(
      identity({ clientId: 'constructor', tenantId: 'valueOf' }),
      'company',
    );
    expect(settings).toMatchObject({ maxCost: 10_000, tenantRate: null });
  });

  it('let roles see the schema', () => {
    const clients = new ClientRegistry(
      config({ SEXTANT_INTROSPECTION: 'operator, analyst' }),
      () => null,
      false,
    );
    expect(clients.settingsFor(identity(), 'company').introspection).toBe(true);
    expect(clients.settingsFor(identity({ roles: ['web'] }), 'company').introspection).toBe(false);
    const off = new ClientRegistry(config({ SEXTANT_INTROSPECTION: 'off' }), () => null, false);
    expect(off.settingsFor(identity({ roles: ['off'] }), 'company').introspection).toBe(false);
  });
});

describe('a file of settings', () => {
  it('may be the one of the guide', () => {
    const guide = readFileSync(new URL('../../../docs/guides/limits.md', import.meta.url), 'utf8');
    const [, example = ''] = /```json\n(\{\n {2}"format": "sextant-clients"[^]*?)```/.exec(guide) ?? [];
    const stated = written(JSON.parse(example));
    const clients = new ClientRegistry(config(), () => stated, false);
    expect(clients.settingsFor(identity({ clientId: 'shop-web' }), 'company').documents).toBe('safelist');
    expect(clients.settingsFor(identity({ roles: ['operator'] }), 'company').maxCost).toBe(50_000);
  });

  it('is refused with the place of what is wrong', () => {
    expect(() => file({ roles: { web: { maxCosts: 1 } } })).toThrow(
      /clients\.json is wrong at roles\.web: .*maxCosts/,
    );
    expect(() => file({ clients: { a: { costRate: -1 } } })).toThrow(/is wrong at clients\.a\.costRate/);
    expect(() => written({ format: 'other', version: 1 })).toThrow(/is wrong at format/);
    writeFileSync(path, '{');
    expect(() => readClientFile(path)).toThrow(/clients\.json cannot be read as JSON/);
  });

  it('stops the start when it is wrong, as does a safelist without documents', () => {
    const log = { info: () => undefined, error: () => undefined };
    writeFileSync(path, '{}');
    expect(() => protections(config({ SEXTANT_CLIENTS: path }), log)).toThrow(/is wrong at format/);
    expect(() => protections(config({ SEXTANT_DOCUMENTS: 'safelist' }), log)).toThrow(
      /safelist needs SEXTANT_DOCUMENT_MANIFEST/,
    );
  });
});
