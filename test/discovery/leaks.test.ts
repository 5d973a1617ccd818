import { setImmediate as turn } from 'node:timers/promises';
import { expect } from 'chai';
import { connectConsul, discoveryChannelOptions } from '#discovery';
import { silentLog, systemClock, systemRandom } from '#kit';

import { createCaller, startBackend } from './support/backend.ts';
import { startEmbedded } from './support/consul-server.ts';
import { registration } from './support/instances.ts';
import { until } from './support/until.ts';

/** What keeps the process alive: sockets, servers and timers, without the standard streams. */
function alive(): readonly string[] {
  return process.getActiveResourcesInfo().filter((name) => /TCP|Timeout|FSReq|Immediate/.test(name)).sort();
}

describe('discovery as a whole', () => {
  it('leaves no socket and no timer behind', async () => {
    // mocha starts its own timer once the test has returned a promise.
    await turn();
    const before = alive();
    const server = await startEmbedded();
    const deps = { clock: systemClock, random: systemRandom, log: silentLog };
    const plane = await connectConsul({ address: server.httpAddr, ...deps });
    const backend = await startBackend('a');
    await plane.register(registration('inventory', 'a', backend.port));
    plane.policies.watch('', { onPolicies: () => undefined, onError: () => undefined });
    const caller = createCaller('consul:///inventory', discoveryChannelOptions(plane));
    expect(await caller.call()).to.equal('a');
    expect(alive().length).to.be.above(before.length);

    caller.close();
    await plane.stop();
    await backend.stop();
    await server.stop();
    await until(`only ${before.join()} is left`, () => alive().join() === before.join());
  });
});
