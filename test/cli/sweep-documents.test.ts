import { expect } from 'chai';

import { connectConsul, type ControlPlane } from '#discovery';
import { silentLog, systemClock, systemRandom } from '#kit';

import { sweepDocuments } from '../../cli/policies/sweep-documents.ts';
import { type Documents, openDocuments } from '../../cli/policies/with-documents.ts';
import { type ConsulServer, startEmbedded } from '../discovery/support/consul-server.ts';

describe('the sweep of documents', () => {
  let agent: ConsulServer;
  let controlPlane: ControlPlane;
  let documents: Documents;
  beforeEach(async () => {
    agent = await startEmbedded();
    controlPlane = await connectConsul({ address: agent.httpAddr, clock: systemClock, random: systemRandom, log: silentLog });
    documents = openDocuments(controlPlane);
  });
  afterEach(async () => {
    await controlPlane.stop();
    await agent.stop();
  });

  const nowMs = Date.UTC(2026, 0, 1, 12);
  const times = (untilMs: number) => ({ createTime: new Date(untilMs - 60_000).toISOString(), expireTime: new Date(untilMs).toISOString() });
  const fault = (untilMs: number): string => JSON.stringify({ owner: 'ada', percent: 1, delayMs: 1, ...times(untilMs) });
  const policy = (untilMs: number): string => JSON.stringify({ owner: 'ada', hedging: { enabled: false }, ...times(untilMs) });
  const left = async () => [...(await documents.list('policy')).keys(), ...(await documents.list('fault')).keys()];

  it('deletes what is over, and nothing else', async () => {
    await documents.put('fault', 'payment', fault(nowMs));
    await documents.put('fault', 'payment.Charge', fault(nowMs + 1));
    await documents.put('policy', 'order', policy(nowMs));
    await documents.put('policy', 'order.PlaceOrder', policy(nowMs + 1));
    await documents.put('policy', 'user', '{"owner":"ada"}');
    await documents.put('policy', 'product', 'nothing that can be read');
    await sweepDocuments(documents, nowMs);
    expect(await left()).to.deep.equal(['order.PlaceOrder', 'product', 'user', 'payment.Charge']);
  });

  it('leaves alone what somebody renews while it runs', async () => {
    await documents.put('fault', 'payment', fault(nowMs));
    await documents.put('policy', 'order', policy(nowMs));
    const renewing: Documents = {
      ...documents,
      async list(kind) {
        const listed = await documents.list(kind);
        await documents.put(kind, kind === 'fault' ? 'payment' : 'order', kind === 'fault' ? fault(nowMs + 60_000) : policy(nowMs + 60_000));
        return listed;
      },
    };
    await sweepDocuments(renewing, nowMs);
    expect(await left()).to.deep.equal(['order', 'payment']);
  });
});
