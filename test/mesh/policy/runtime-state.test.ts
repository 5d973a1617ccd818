import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { expect } from 'chai';

import { GetInstanceResponseSchema } from '#proto/mesh/v1/instance_pb.js';

import { runtimeFacts } from '../../../cli/status/runtime-facts.ts';
import { type RuntimeState, toRuntimeFields } from '../../../mesh/server/runtime-state.ts';

/** As `mesh ps` reads it from the wire. */
function sent(state: RuntimeState) {
  const message = create(GetInstanceResponseSchema, toRuntimeFields(state));
  return runtimeFacts(fromBinary(GetInstanceResponseSchema, toBinary(GetInstanceResponseSchema, message)));
}

describe('what an instance says of its runtime', () => {
  const endpoint = { id: 'payment-1', inFlight: 1, calls: 40, failures: 12, ejections: 2 } as const;
  const destination = { service: 'payment', open: true, inFlight: 3, retries: 4, hedges: 5, refusedByBudget: 6 };

  it('arrives as it was said', () => {
    const fault = { method: 'Charge', percent: 12.5, delayMs: 2_000, abort: 'UNAVAILABLE', untilMs: Date.UTC(2026, 0, 1), owner: 'ada' } as const;
    const states = ['healthy', 'slow-start', 'ejected', 'probing'] as const;
    const said: RuntimeState = {
      faultsAllowed: true,
      faults: [{ ...fault, service: 'order', reason: '' }, { ...fault, method: undefined, abort: undefined, service: 'order', reason: '' }],
      admission: { limit: 64, inFlight: 60, queued: 2, shed: 7 },
      destinations: [{ ...destination, endpoints: states.map((state) => ({ ...endpoint, state })) }],
    };
    expect(sent(said)).to.deep.equal({
      faultsAllowed: true,
      faults: [fault, { ...fault, method: undefined, abort: undefined }],
      admission: said.admission,
      destinations: said.destinations,
    });
  });

  it('is empty where there is nothing to say', () => {
    const nothing: RuntimeState = { faultsAllowed: false, faults: [], admission: undefined, destinations: [] };
    expect(sent(nothing)).to.deep.equal({ faultsAllowed: false, faults: [], destinations: [] });
  });

  it('counts a limit in whole calls', () => {
    const admission = { limit: 64.9, inFlight: 1, queued: 0, shed: 0 };
    expect(sent({ faultsAllowed: false, faults: [], admission, destinations: [] }).admission?.limit).to.equal(64);
  });
});
