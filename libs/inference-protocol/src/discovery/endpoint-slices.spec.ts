import { describe, expect, it } from 'vitest';
import { type EndpointSlice, readyAddresses } from './endpoint-slices.js';

const slice = (rest: Omit<EndpointSlice, 'metadata'>): EndpointSlice => ({
  metadata: { name: 's' },
  addressType: 'IPv4',
  ...rest,
});

describe('the addresses of EndpointSlices', () => {
  it('are those of pods that are ready and not terminating; an absent condition counts as ready', () => {
    const endpoints = [
      { addresses: ['10.0.0.1'], conditions: { ready: true, terminating: false } },
      { addresses: ['10.0.0.2'], conditions: { ready: false } },
      { addresses: ['10.0.0.3'], conditions: { ready: true, terminating: true } },
      { addresses: ['10.0.0.4'] },
      { addresses: ['10.0.0.5'], conditions: {} },
      { addresses: [] },
    ];
    expect(readyAddresses([slice({ endpoints })], 50051)).toEqual([
      '10.0.0.1:50051',
      '10.0.0.4:50051',
      '10.0.0.5:50051',
    ]);
  });

  it('come from all slices, each once, with the port that is named', () => {
    const ports = [
      { name: 'metrics', port: 9464 },
      { name: 'grpc', port: 50052 },
    ];
    const slices = [
      slice({ endpoints: [{ addresses: ['10.0.0.2'] }, { addresses: ['10.0.0.1'] }], ports }),
      slice({ endpoints: [{ addresses: ['10.0.0.1'] }], ports: [{ name: 'grpc', port: 50052 }] }),
      slice({ endpoints: [{ addresses: ['10.0.0.9'] }], ports: null }),
    ];
    expect(readyAddresses(slices, 'grpc')).toEqual(['10.0.0.1:50052', '10.0.0.2:50052']);
  });

  it('are IPv4 where a service has both, else IPv6 in brackets', () => {
    const six = slice({ addressType: 'IPv6', endpoints: [{ addresses: ['fd00::1'] }] });
    const four = slice({ endpoints: [{ addresses: ['10.0.0.1'] }] });
    expect(readyAddresses([six, four], 1)).toEqual(['10.0.0.1:1']);
    expect(readyAddresses([six], 1)).toEqual(['[fd00::1]:1']);
    expect(readyAddresses([slice({ addressType: 'FQDN', endpoints: [{ addresses: ['a.b'] }] })], 1)).toEqual(
      [],
    );
    expect(readyAddresses([slice({ endpoints: null })], 1)).toEqual([]);
  });
});
