import { expect } from 'chai';
import { connectConsul } from '#discovery';
import { systemClock, systemRandom } from '#kit';

import { type Consul, startConsul } from '../backends/consul.ts';
import { locateBackend } from '../backends/locate.ts';
import { describeCertificates } from './conformance/certificates.ts';
import { createMemoryLog } from './support/memory-log.ts';

async function start(this: Mocha.Context): Promise<Consul> {
  const isMissing = (await locateBackend('consul')) === undefined;
  if (isMissing && process.env['CI'] !== 'true') this.skip();
  return startConsul();
}

describeCertificates('Consul, from its agent', { certificates: { source: 'agent' }, namesHosts: false }, start);
// The port is found through the agent.
describeCertificates('Consul, signed for keys of our own', { certificates: { source: 'sign' }, namesHosts: true }, start);
describeCertificates('Consul, by the way it offers', { certificates: {}, namesHosts: true }, start);

describe('certificates under Consul\'s access control', function () {
  this.timeout(60_000);
  const management = '11111111-2222-3333-4444-555555555555';
  const ofOrder = '66666666-7777-8888-9999-aaaaaaaaaaaa';
  let consul: Consul | undefined;
  before(async function () {
    const isMissing = (await locateBackend('consul')) === undefined;
    if (isMissing && process.env['CI'] !== 'true') this.skip();
    consul = await startConsul({ managementToken: management });
    const headers = { 'x-consul-token': management, connection: 'close' };
    const manage = async (path: string, body: object): Promise<{ ID: string }> => {
      const answer = await fetch(`${consul?.httpAddr}/v1/acl/${path}`, { method: 'PUT', headers, body: JSON.stringify(body) });
      return (await answer.json()) as { ID: string };
    };
    const { ID } = await manage('policy', { Name: 'order', Rules: 'service "order" { policy = "write" }' });
    await manage('token', { SecretID: ofOrder, Policies: [{ ID }] });
  });
  after(() => consul?.stop());

  for (const source of ['agent', 'sign'] as const) {
    it(`a token of one service is worth no certificate of another (${source})`, async () => {
      const { log, text } = createMemoryLog();
      const certificates = { source, grpcAddress: consul?.grpcAddr ?? '' };
      const plane = await connectConsul({ address: consul?.httpAddr ?? '', token: ofOrder, clock: systemClock, random: systemRandom, log, certificates });
      try {
        expect((await plane.certificates.identity('order')).leaf().service).to.equal('order');
        const refused: unknown = await plane.certificates.identity('payment').catch((error: unknown) => error);
        expect(refused).to.include({ reason: 'CONTROL_PLANE_UNAVAILABLE' });
        expect(String(refused)).to.contain('CONSUL_HTTP_TOKEN').and.to.match(/403|PERMISSION_DENIED/);
        expect(text() + String(refused)).to.not.contain(ofOrder);
      } finally {
        await plane.stop();
      }
    });
  }
});
