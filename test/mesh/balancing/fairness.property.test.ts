import { Metadata, status } from '@grpc/grpc-js';
import { expect } from 'chai';
import fc from 'fast-check';

import { MeshError } from '#kit';

import type { SentCall } from '../../../mesh/client/balancing/destination.ts';
import { instance } from '../../discovery/support/instances.ts';
import { simulateCalls, type SimulatedCalls } from './support/simulated-calls.ts';

type Simulated = SimulatedCalls;

const seeds = fc.integer({ min: 0, max: 2 ** 31 });
const weights = fc.array(fc.integer({ min: 1, max: 10 }), { minLength: 1, maxLength: 8 });

describe('shares of the calls', () => {
  it('follow the weights, whatever they are, when calls are few', () => {
    fc.assert(
      fc.property(weights, seeds, (each, seed) => {
        const { list, calls } = simulateCalls({}, { seed });
        list(...each.map((weight, position) => instance(`i${position}`, { weight })));
        const counts = calls(4_000);
        const total = each.reduce((sum, weight) => sum + weight, 0);
        for (const [position, weight] of each.entries()) {
          const share = weight / total;
          // Six standard deviations: once in a thousand million.
          expect(Math.abs((counts[`i${position}`] ?? 0) / 4_000 - share)).to.be.below(6 * Math.sqrt((share * (1 - share)) / 4_000) + 1e-9);
        }
      }),
      { numRuns: 40 },
    );
  });

  it('follow the weights under load: calls in flight for each unit of weight are nearly the same', () => {
    fc.assert(
      fc.property(weights, seeds, (each, seed) => {
        const { list, start, destination } = simulateCalls({}, { seed });
        list(...each.map((weight, position) => instance(`i${position}`, { weight })));
        for (let call = 0; call < 2_000; call += 1) start();
        const total = each.reduce((sum, weight) => sum + weight, 0);
        for (const { id, inFlight } of destination.read().endpoints) {
          const weight = each[Number(id.slice(1))] ?? 0;
          expect(inFlight).to.be.closeTo((2_000 * weight) / total, 12 + 0.1 * ((2_000 * weight) / total));
        }
      }),
      { numRuns: 40 },
    );
  });
});

type Step =
  | { readonly kind: 'start'; readonly attempt: number; readonly stream: boolean }
  | { readonly kind: 'end'; readonly which: number; readonly code: status; readonly ms: number }
  | { readonly kind: 'lose'; readonly which: number }
  | { readonly kind: 'wait'; readonly ms: number }
  | { readonly kind: 'connect'; readonly which: number; readonly connected: boolean }
  | { readonly kind: 'list'; readonly ids: readonly number[] };

const ids = fc.uniqueArray(fc.integer({ min: 0, max: 7 }), { maxLength: 6 });
const codes = fc.constantFrom(status.OK, status.UNAVAILABLE, status.UNAVAILABLE, status.NOT_FOUND, status.CANCELLED, status.DEADLINE_EXCEEDED, status.RESOURCE_EXHAUSTED);
const steps: fc.Arbitrary<readonly Step[]> = fc.array(
  fc.oneof(
    { weight: 30, arbitrary: fc.record({ kind: fc.constant('start' as const), attempt: fc.integer({ min: 1, max: 2 }), stream: fc.boolean() }) },
    { weight: 30, arbitrary: fc.record({ kind: fc.constant('end' as const), which: fc.nat(), code: codes, ms: fc.integer({ min: 0, max: 40 }) }) },
    { weight: 3, arbitrary: fc.record({ kind: fc.constant('lose' as const), which: fc.nat() }) },
    { weight: 6, arbitrary: fc.record({ kind: fc.constant('wait' as const), ms: fc.integer({ min: 1, max: 3_000 }) }) },
    { weight: 3, arbitrary: fc.record({ kind: fc.constant('connect' as const), which: fc.nat(7), connected: fc.boolean() }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('list' as const), ids }) },
  ),
  { maxLength: 400 },
);

/** Walks through the steps and checks after each what must hold at any time. */
function walk(simulated: Simulated, path: readonly Step[]): void {
  const { destination, clock, list } = simulated;
  const started: { readonly call: SentCall; readonly atMs: number }[] = [];
  list('i0', 'i1', 'i2');
  for (const step of path) {
    switch (step.kind) {
      case 'start': {
        const before = destination.read();
        const call = destination.pick({ number: step.attempt, avoid: [], stream: step.stream, instance: undefined });
        // A stream is never a probe: those come back with it that nobody has tried.
        const seen = step.stream ? destination.read() : before;
        if (call instanceof MeshError) checkRefusal(seen, call);
        else {
          checkPick(seen, call);
          started.push({ call, atMs: destination.started(call) });
        }
        break;
      }
      case 'end':
        clock.advance(step.ms);
        for (const { call, atMs } of started.splice(step.which % (started.length + 1), 1)) destination.ended(call, atMs, step.code, '', new Metadata());
        break;
      case 'lose':
        // Sent, and cancelled before it began: nobody says so.
        destination.pick(undefined);
        break;
      case 'wait':
        clock.advance(step.ms);
        break;
      case 'connect':
        destination.setConnected(`i${step.which}`, step.connected);
        break;
      case 'list':
        list(...step.ids.map((id) => `i${id}`));
    }
    checkAlways(simulated, started.length);
  }
  for (const { call, atMs } of started) destination.ended(call, atMs, status.OK, '', new Metadata());
  checkAlways(simulated, 0);
}

type Reading = ReturnType<Simulated['destination']['read']>;

const isOut = ({ state }: Reading['endpoints'][number]): boolean => state === 'ejected' || state === 'probing';

function checkPick({ endpoints, open }: Reading, { endpoint, probe, stream }: SentCall): void {
  const picked = endpoints.find(({ id }) => id === endpoint.id);
  expect(picked, 'listed').to.include({ connected: true });
  expect(picked && isOut(picked), 'one that is left out gets probes only').to.equal(probe);
  expect(stream && probe, 'a stream is no probe').to.equal(false);
  expect(open && !probe, 'nobody but probes are called while it is open').to.equal(false);
}

function checkRefusal({ endpoints, open }: Reading, { reason }: MeshError): void {
  const reachable = endpoints.filter(({ connected }) => connected);
  if (open) expect(reason).to.equal('CIRCUIT_OPEN');
  else expect(reason).to.equal(endpoints.length === 0 ? 'NO_INSTANCE' : 'UNREACHABLE');
  expect(reachable.every(isOut), 'refused though somebody may be called').to.equal(true);
}

function checkAlways({ destination }: Simulated, inFlight: number): void {
  const { endpoints, open, inFlight: counted } = destination.read();
  expect(counted).to.equal(inFlight);
  for (const endpoint of endpoints) expect(endpoint.inFlight).to.be.at.least(0);
  const out = endpoints.filter(isOut).length;
  const able = endpoints.some((endpoint) => !isOut(endpoint) && endpoint.connected);
  expect(open, 'open only when nobody may be called').to.equal(!able && endpoints.some((endpoint) => isOut(endpoint) && endpoint.connected));
  if (!open) expect(out, 'the cap').to.be.at.most(Math.min(Math.max(0, endpoints.length - 1), Math.max(1, endpoints.length >> 1)));
}

describe('whatever happens to a destination', () => {
  it('keeps its counts exact, its cap, and calls nobody that is left out', () => {
    fc.assert(
      fc.property(steps, seeds, (path, seed) => walk(simulateCalls({ ejection: { consecutiveFailures: 2, minCalls: 5 } }, { seed }), path)),
      { numRuns: 150 },
    );
  });

  it('is called again once it is well: an open one always ends by a probe', () => {
    fc.assert(
      fc.property(steps, seeds, (path, seed) => {
        const simulated = simulateCalls({ ejection: { consecutiveFailures: 2, minCalls: 5 } }, { seed });
        walk(simulated, path);
        simulated.list('i0', 'i1', 'i2');
        for (let waited = 0; waited < 20; waited += 1) {
          simulated.clock.advance(500);
          simulated.call();
        }
        expect(simulated.destination.read().open).to.equal(false);
      }),
      { numRuns: 100 },
    );
  });
});
