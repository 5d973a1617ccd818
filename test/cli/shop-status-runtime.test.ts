import { expect } from 'chai';

import { renderShop } from '../../cli/status/render-shop.ts';
import type { Listed } from '../../cli/status/shop-status.ts';

describe('the list of a shop says below its table, a line each,', () => {
  const figures = { calls: 0, errors: 0, callsPerSecond: 0, errorsPerSecond: 0 };
  const NOW_MS = 1_000_000_000;
  const facts = { pid: 42, startedAt: NOW_MS, memoryBytes: 1e8, ...figures, methods: [] };
  const base = { service: 'user', address: '127.0.0.1', version: '1', zone: 'local', weight: 1, metadata: {}, healthy: true };
  const listed = (more: object): Listed => ({ kind: 'instance', state: 'passing', ...base, id: 'user-1', port: 50_051, mtlsPort: 40_001, process: 'user', ...facts, ...more });
  const below = (...entries: Listed[]): string[] => renderShop(entries, NOW_MS).split('\n').slice(entries.length + 1).filter((line) => !line.startsWith('version '));
  const endpoint = { id: 'user-1', inFlight: 0, calls: 40, failures: 12, ejections: 1 };
  const destination = { service: 'user', open: false, inFlight: 0, retries: 0, hedges: 0, refusedByBudget: 0, endpoints: [] };
  const quiet = { faultsAllowed: true, faults: [], admission: { limit: 64, inFlight: 3, queued: 0, shed: 0 }, destinations: [{ ...destination, endpoints: [{ ...endpoint, state: 'healthy' }, { ...endpoint, state: 'slow-start' }] }] };

  it('nothing while all is as usual', () => {
    expect(below(listed(quiet), listed({}))).to.deep.equal([]);
  });

  it('which faults are in force, once for all instances of a service', () => {
    const fault = { method: 'GetUser', percent: 30, delayMs: 1_500, abort: 'UNAVAILABLE', untilMs: NOW_MS + 300_000, owner: 'ada' };
    const faults = [fault, { ...fault, method: undefined, percent: 100, abort: undefined }];
    expect(below(listed({ ...quiet, faults }), listed({ ...quiet, faults, id: 'user-2' }))).to.deep.equal([
      'fault in user.GetUser: 30 % of the calls wait 1.5 s and fail with UNAVAILABLE, for 5 min more (ada)',
      'fault in user: every call waits 1.5 s, for 5 min more (ada)',
    ]);
  });

  it('which service a process does not call, and which instances it leaves out', () => {
    const endpoints = [{ ...endpoint, state: 'ejected' }, { ...endpoint, id: 'user-9', state: 'probing' }];
    const order = { ...quiet, id: 'order-1', service: 'order', process: 'order', destinations: [{ ...destination, open: true, endpoints }] };
    const says = [
      'does not call user for now: no instance of it answered as it should',
      'leaves out user at 127.0.0.1:50051: 12 of 40 calls to it failed',
      'tries user at user-9 again: 12 of 40 calls to it failed',
    ];
    expect(below(listed(quiet), listed(order))).to.deep.equal(says.map((line) => `order ${line}`));
    const elsewhere = listed({ ...order, process: undefined, port: 50_056 });
    expect(below(listed(quiet), elsewhere)).to.deep.equal(says.map((line) => `order at 127.0.0.1:50056 ${line}`));
  });

  it('once what all services of a process say', () => {
    const destinations = [{ ...destination, service: 'product', open: true }];
    expect(below(listed({ ...quiet, destinations, process: 'monolith' }), listed({ ...quiet, destinations, process: 'monolith', service: 'order' }))).to.have.length(1);
  });

  it('which instance turns calls away', () => {
    expect(below(listed({ ...quiet, admission: { limit: 8, inFlight: 8, queued: 2, shed: 120 } }))).to.deep.equal([
      'user at 127.0.0.1:50051 has turned 120 calls away; it works on 8 of at most 8 at once, 2 wait',
    ]);
  });
});
