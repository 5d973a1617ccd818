import { expect } from 'chai';

import type { DestinationReading, EndpointReading } from '../../../mesh/client/balancing/destination-reading.ts';
import { sumReadings } from '../../../mesh/client/balancing/sum-readings.ts';

function endpoint(id: string, changes: Partial<EndpointReading> = {}): EndpointReading {
  return { id, zone: '', state: 'healthy', connected: true, inFlight: 1, calls: 10, failures: 1, ejections: 0, latencyMs: 5, ...changes };
}

function reading(endpoints: readonly EndpointReading[], changes: Partial<DestinationReading> = {}): DestinationReading {
  return { service: 'user', open: false, inFlight: 2, openings: 0, refused: { circuitOpen: 1, tooManyCalls: 2 }, endpoints, ...changes };
}

describe('how a service does in the eyes of several callers', () => {
  it('is what one says, where there is one', () => {
    const only = reading([endpoint('a')]);
    expect(sumReadings('user', [only])).to.equal(only);
    expect(sumReadings('user', [])).to.deep.include({ service: 'user', inFlight: 0, endpoints: [] });
  });

  it('is the sum of what they count, with each instance once', () => {
    const sums = sumReadings('user', [reading([endpoint('a'), endpoint('b')]), reading([endpoint('b'), endpoint('c')], { openings: 1 })]);
    expect(sums).to.deep.include({ inFlight: 4, openings: 1, refused: { circuitOpen: 2, tooManyCalls: 4 } });
    expect(sums.endpoints.map(({ id, inFlight, calls, failures }) => [id, inFlight, calls, failures])).to.deep.equal([
      ['a', 1, 10, 1],
      ['b', 2, 20, 2],
      ['c', 1, 10, 1],
    ]);
  });

  it('is as bad as the worst that is said', () => {
    const one = reading([endpoint('a', { connected: false, latencyMs: undefined }), endpoint('b', { state: 'slow-start' })], { open: true });
    const other = reading([endpoint('a', { state: 'ejected', calls: 11, latencyMs: 7 }), endpoint('b', { state: 'probing' })]);
    const { open, endpoints } = sumReadings('user', [one, other]);
    expect(open).to.equal(true);
    expect(endpoints.map(({ state, connected, latencyMs }) => [state, connected, latencyMs])).to.deep.equal([
      ['ejected', true, 7],
      ['probing', true, 5],
    ]);
  });
});
