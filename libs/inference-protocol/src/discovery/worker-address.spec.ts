import { describe, expect, it } from 'vitest';
import { isWorkerAddress, parseWorkerAddress } from './worker-address.js';

describe('an address of workers', () => {
  it.each([
    ['127.0.0.1:50051', { kind: 'list', addresses: ['127.0.0.1:50051'] }],
    ['a:1, b.example:65535', { kind: 'list', addresses: ['a:1', 'b.example:65535'] }],
    ['[::1]:50051', { kind: 'list', addresses: ['[::1]:50051'] }],
    [
      'dns:///workers.shop.svc:50051',
      { kind: 'dns', host: 'workers.shop.svc', port: 50051, server: undefined },
    ],
    [
      'dns://10.0.0.10:53/workers:50051',
      { kind: 'dns', host: 'workers', port: 50051, server: '10.0.0.10:53' },
    ],
    ['k8s:///workers.shop:50051', { kind: 'kubernetes', service: 'workers', namespace: 'shop', port: 50051 }],
    [
      'k8s:///workers.shop.svc.cluster.local:grpc',
      { kind: 'kubernetes', service: 'workers', namespace: 'shop', port: 'grpc' },
    ],
    ['k8s:///workers:grpc', { kind: 'kubernetes', service: 'workers', namespace: undefined, port: 'grpc' }],
  ])('%s is understood', (address, expected) => {
    expect(parseWorkerAddress(address)).toEqual(expected);
  });

  it.each([
    '',
    'host',
    'host:',
    ':50051',
    'host:0',
    'host:65536',
    'a:1,',
    'http://a:1',
    'dns://a:1',
    'dns:///a',
  ])('"%s" is none', (address) => {
    expect(isWorkerAddress(address)).toBe(false);
    expect(() => parseWorkerAddress(address)).toThrow(`"${address}" is no address of inference workers`);
  });

  it.each(['k8s:///a.b:0', 'k8s:///a.b:70000', 'k8s:///A.b:1', 'k8s://a.b:1', 'k8s:///a.b'])(
    '"%s" is none',
    (address) => {
      expect(isWorkerAddress(address)).toBe(false);
    },
  );
});
