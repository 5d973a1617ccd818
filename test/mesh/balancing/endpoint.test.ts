import { expect } from 'chai';

import { Endpoint } from '../../../mesh/client/balancing/endpoint.ts';
import { InFlight, LoopTurns } from '../../../mesh/client/balancing/in-flight.ts';
import { instance } from '../../discovery/support/instances.ts';

const TIME_OUT = { baseMs: 2_000, maxMs: 60_000 };

const endpointOf = (id: string, newcomer: boolean) => new Endpoint(instance(id, { weight: 4 }), newcomer, new InFlight(new LoopTurns()));

/** How long it stays out when it is ejected at `nowMs`. */
function ejectedFor(endpoint: Endpoint, nowMs: number): number {
  endpoint.eject(nowMs, TIME_OUT);
  return endpoint.probeInMs(nowMs, Infinity);
}

describe('an endpoint', () => {
  let endpoint: Endpoint;
  beforeEach(() => {
    endpoint = endpointOf('a', false);
    endpoint.connect(0);
  });

  it('has its whole share when it was there from the start', () => {
    expect(endpoint.state).to.deep.equal({ kind: 'healthy' });
    expect(endpoint.share(0, 5_000)).to.equal(4);
  });

  it('works up to its share when it joins others, from when it is connected', () => {
    const newcomer = endpointOf('b', true);
    newcomer.connect(1_000);
    const shares = [1_000, 1_100, 2_000, 3_500, 5_999, 6_000].map((nowMs) => newcomer.share(nowMs, 5_000));
    expect(shares).to.deep.equal([0.4, 0.4, 0.8, 2, 3.9992, 4]);
    expect(newcomer.state).to.deep.equal({ kind: 'healthy' });
    newcomer.connected = false;
    newcomer.connect(9_000);
    expect(newcomer.share(9_000, 5_000), 'again, because it was connected to anew').to.equal(4);
  });

  it('has no slow start where that is switched off', () => {
    const newcomer = endpointOf('b', true);
    newcomer.connect(0);
    expect(newcomer.share(0, 0)).to.equal(4);
  });

  it('stays out twice as long each time, up to the maximum', () => {
    const times = Array.from({ length: 7 }, (_, time) => {
      const outMs = ejectedFor(endpoint, time);
      endpoint.readmit(time);
      return outMs;
    });
    expect(times).to.deep.equal([2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000]);
  });

  it('is forgiven one doubling for each time that it stays in as long as it was out', () => {
    ejectedFor(endpoint, 0);
    endpoint.readmit(0);
    ejectedFor(endpoint, 0);
    endpoint.readmit(0);
    expect(ejectedFor(endpoint, 0)).to.equal(8_000);
    endpoint.readmit(10_000);
    expect(ejectedFor(endpoint, 10_000 + 16_000), 'in for twice 8 s').to.equal(4_000);
    endpoint.readmit(40_000);
    expect(ejectedFor(endpoint, 40_000 + 3_999), 'in for less than 4 s').to.equal(8_000);
  });

  it('does not stay out for long because it was tried often while nobody answered', () => {
    for (let probe = 0; probe < 20; probe += 1) endpoint.eject(0, { baseMs: 500, maxMs: 1_500 });
    endpoint.readmit(0);
    expect(ejectedFor(endpoint, 0)).to.equal(8_000);
  });

  it('is counted as ejected once, however many probes fail', () => {
    ejectedFor(endpoint, 0);
    endpoint.probe(2_000);
    expect(ejectedFor(endpoint, 2_000)).to.equal(4_000);
    expect(endpoint.ejections).to.equal(1);
  });

  it('is owed one probe when its time is over', () => {
    endpoint.eject(0, TIME_OUT);
    expect(endpoint.probeInMs(1_999, 500)).to.equal(1);
    expect(endpoint.probeInMs(2_000, 500)).to.equal(0);
    endpoint.probe(2_000);
    expect(endpoint.probeInMs(2_000, 500), 'when it was sent, and cancelled before it began').to.equal(0);
    endpoint.probeBegun(2_000);
    expect(endpoint.probeInMs(2_000, 500), 'while it is on its way').to.equal(500);
    expect(endpoint.probeInMs(2_500, 500), 'when it has taken too long').to.equal(0);
    endpoint.probeAgain(2_500);
    expect(endpoint.probeInMs(2_500, 500), 'when it said nothing').to.equal(0);
  });

  it('does not stay out longer because the wall clock was set back', () => {
    endpoint.eject(10_000_000, TIME_OUT);
    expect(endpoint.probeInMs(5_000, 500)).to.equal(0);
  });

  it('counts failures in a row until it answers, and calls that were given up beside them', () => {
    for (const kind of ['broken', 'gone', 'expired', 'given-up', 'unclear'] as const) endpoint.ended({ kind }, 1, 0);
    expect(endpoint).to.include({ calls: 5, failures: 3, failuresInARow: 4 });
    endpoint.ended({ kind: 'shed', afterMs: 0 }, 1, 7);
    expect(endpoint, 'turning a call away makes nothing good').to.include({ calls: 6, failures: 3, failuresInARow: 4 });
    endpoint.ended({ kind: 'answered' }, 1, 7);
    expect(endpoint).to.include({ calls: 7, failures: 3, failuresInARow: 0 });
  });

  it('takes no latency from streams', () => {
    endpoint.ended({ kind: 'answered' }, undefined, 0);
    expect(endpoint.window.figures()).to.deep.equal({ calls: 1, failurePercent: 0, medianMs: undefined });
  });

  it('weighs what it turned away, for as long as it asked for, of 100 ms to 2 s', () => {
    for (const [afterMs, fadesInMs] of [[0, 100], [400, 400], [60_000, 2_000]] as const) {
      const busy = endpointOf('b', false);
      busy.ended({ kind: 'shed', afterMs }, 1, 1_000);
      busy.ended({ kind: 'shed', afterMs }, 1, 1_000);
      const loads = [0, fadesInMs / 2, fadesInMs].map((laterMs) => busy.load(1_000 + laterMs));
      expect(loads, `${afterMs} ms`).to.deep.equal([2, 1, 0]);
    }
    endpoint.ended({ kind: 'shed', afterMs: 0 }, 1, 1_000_000);
    expect(endpoint.load(0), 'the clock was set back').to.equal(0);
  });

  it('starts anew when it is back', () => {
    endpoint.ended({ kind: 'gone' }, 1, 0);
    endpoint.eject(0, TIME_OUT);
    endpoint.readmit(2_000);
    expect(endpoint.window.calls).to.equal(0);
    expect(endpoint.failuresInARow).to.equal(0);
    expect(endpoint.share(2_000, 5_000)).to.equal(0.4);
  });
});
