import type { IncomingMessage, ServerResponse } from 'node:http';

import { expect } from 'chai';
import type { WantedIntention } from '#discovery';
import { silentLog, systemClock } from '#kit';

import { createConsulControlPlane } from '../../discovery/consul/control-plane.ts';
import { fixedRandom } from './support/fixed-random.ts';
import { answerJson, type ScriptedConsul, startScriptedConsul } from './support/scripted-consul.ts';

const wanted: WantedIntention = { source: 'shop', destination: 'pay', rule: { kind: 'action', action: 'allow' }, description: '' };
const entry = { Kind: 'service-intentions', Name: 'pay', Sources: [{ Name: 'web', Action: 'deny' }], CreateIndex: 5, ModifyIndex: 7 };

describe('intentions in a Consul that does not go along', () => {
  let consul: ScriptedConsul | undefined;
  const closers: (() => Promise<void>)[] = [];
  afterEach(async () => {
    for (const close of closers.splice(0).reverse()) await close();
  });

  async function open(answer: (request: IncomingMessage, response: ServerResponse) => void) {
    consul = await startScriptedConsul(answer);
    closers.push(consul.stop);
    const plane = createConsulControlPlane({ address: consul.url, token: 'secret', clock: systemClock, random: fixedRandom, log: silentLog });
    closers.push(plane.stop);
    return plane.intentions;
  }
  const failureOf = (doing: Promise<unknown>): Promise<unknown> => doing.then(() => 'no failure', (error: unknown) => error);

  it('gives up a change that others overtake each time, and says that nothing was written', async () => {
    const intentions = await open(({ method }, response) => answerJson(response, 200, method === 'GET' ? entry : false));
    const failure = await failureOf(intentions.set(wanted));
    expect(failure).to.include({ reason: 'CONTROL_PLANE_UNAVAILABLE' });
    expect(String(failure)).to.include('others keep changing the intentions of pay; nothing was written');
    const writes = consul?.requests.filter(({ method }) => method === 'PUT') ?? [];
    expect(writes).to.have.length(8);
    expect(writes.every(({ url, headers }) => url === '/v1/config?cas=7' && headers['x-consul-token'] === 'secret')).to.equal(true);
  });

  it('writes nothing over what is not what was read', async () => {
    const intentions = await open((_, response) => answerJson(response, 200, entry));
    expect(await intentions.set(wanted, 6)).to.equal(false);
    expect(await intentions.delete('web', 'pay', 6)).to.equal(false);
    expect(await intentions.delete('other', 'pay', 7), 'what is not there').to.equal(true);
    expect(consul?.requests.map(({ method }) => method)).to.deep.equal(['GET', 'GET', 'GET']);
  });

  it('is not content with a list that the token sees only in part', async () => {
    const intentions = await open((_, response) => answerJson(response, 200, [], { 'x-consul-results-filtered-by-acls': 'true' }));
    expect(String(await failureOf(intentions.list()))).to.include('may not read every intention');
  });

  it('does not know the default where the token may not read the agent, and fails where nobody answers', async () => {
    const intentions = await open((_, response) => {
      response.writeHead(403);
      response.end('Permission denied');
    });
    expect(await intentions.defaultAction()).to.equal(undefined);
    await consul?.stop();
    expect(await failureOf(intentions.defaultAction())).to.include({ reason: 'CONTROL_PLANE_UNAVAILABLE' });
  });

  it('names the protocol that Consul wants to know before it takes permissions', async () => {
    const refusal = 'service "pay" has protocol "tcp", which is incompatible with L7 intentions permissions';
    const intentions = await open(({ method }, response) => {
      response.writeHead(method === 'GET' ? 404 : 500);
      response.end(refusal);
    });
    const failure = await failureOf(intentions.set(wanted));
    expect(failure).to.include({ reason: 'PERMISSIONS_NOT_TAKEN' });
    expect(String(failure)).to.include('"protocol": "grpc"').and.include('"Name": "pay"').and.not.include('secret');
  });
});
