import { X509Certificate } from 'node:crypto';
import { status } from '@grpc/grpc-js';
import { expect } from 'chai';
import type { CertificateOptions, Certificates } from '#discovery';
import { systemRandom } from '#kit';

import { createConsulControlPlane } from '../../discovery/consul/control-plane.ts';
import { parseGrpcAddress } from '../../discovery/consul/grpc-address.ts';
import { createTestAuthority, type TestAuthority } from './support/authority.ts';
import { type ConnectCaServer, startConnectCa } from './support/connect-ca-server.ts';
import { createJumpClock, type JumpClock } from './support/jump-clock.ts';
import { createMemoryLog, type MemoryLog } from './support/memory-log.ts';
import { answerJson, type ScriptedConsul, startScriptedConsul } from './support/scripted-consul.ts';
import { until } from './support/until.ts';

const HOUR_MS = 3_600_000;
const TOKEN = 'a-very-secret-token';

describe('certificates that Consul signs for keys of our own', function () {
  this.timeout(20_000);
  let authority: TestAuthority;
  let server: ConnectCaServer;
  let http: ScriptedConsul;
  let clock: JumpClock;
  let memory: MemoryLog;
  let self: unknown;
  const planes: { stop(): Promise<void> }[] = [];
  beforeEach(async () => {
    clock = createJumpClock();
    memory = createMemoryLog();
    authority = await createTestAuthority();
    server = await startConnectCa(authority, 72 * HOUR_MS);
    self = { xDS: { Ports: { Plaintext: Number(server.address.split(':')[1]), TLS: -1 } } };
    http = await startScriptedConsul((request, response) => {
      if (request.url?.startsWith('/v1/agent/self')) answerJson(response, self === undefined ? 403 : 200, self ?? 'Permission denied');
      else if (request.url?.startsWith('/v1/catalog/datacenters')) answerJson(response, 200, ['dc1', 'dc2']);
      else answerJson(response, 500, 'the agent has no certificates');
    });
  });
  afterEach(async () => {
    for (const plane of planes.splice(0)) await plane.stop();
    await server.stop();
    await http.stop();
  });

  function open(certificates: CertificateOptions = { source: 'sign' }, token = TOKEN): Certificates {
    const plane = createConsulControlPlane({ address: http.url, token, clock, random: systemRandom, log: memory.log, certificates });
    planes.push(plane);
    return plane.certificates;
  }

  it('asks with the token and a new key each time, and renews from 60 to 90 % of the lifetime', async () => {
    const certificates = open();
    const order = await certificates.identity('order');
    const first = order.leaf();
    clock.jump(42 * HOUR_MS);
    await certificates.identity('payment');
    expect(server.signatures(), 'renewed too early').to.equal(2);
    clock.jump(24 * HOUR_MS);
    await until('it is renewed', () => order.leaf() !== first);
    expect(order.leaf().privateKey.equals(first.privateKey)).to.equal(false);
    expect(certificates.counts().renewals).to.be.within(1, 2);
    expect([...new Set(server.tokens)]).to.deep.equal([TOKEN]);
    expect(memory.text()).to.not.contain(TOKEN).and.to.not.contain('PRIVATE KEY');
  });

  it('does not ask without pause where each leaf is due at once, as with a clock that is wrong', async () => {
    const hasty = await startConnectCa(authority, 64_000);
    const certificates = open({ source: 'sign', grpcAddress: hasty.address });
    for (const service of ['order', 'payment', 'stock', 'user']) await certificates.identity(service);
    expect(hasty.signatures()).to.equal(4);
    await hasty.stop();
  });

  it('asks through TLS, and only who its authority vouches for', async () => {
    const vouching = await createTestAuthority();
    const secure = await startConnectCa(authority, HOUR_MS, vouching);
    const grpcAddress = `https://${secure.address}`;
    const own = { source: 'sign' as const, grpcAddress, grpcCaPem: vouching.root.certPem };
    expect((await open(own).identity('order')).leaf().service).to.equal('order');
    expect((await open({ ...own, grpcServerName: 'consul.service.consul' }).identity('order')).leaf().service).to.equal('order');
    const { length } = secure.tokens;
    for (const other of [{ grpcCaPem: authority.root.certPem }, { grpcServerName: 'elsewhere' }]) {
      const certificates = open({ ...own, ...other });
      const waiting = certificates.identity('order').catch((error: unknown) => error);
      await until('it was tried', () => certificates.counts().failures >= 1);
      clock.jump(10_000);
      expect(await waiting).to.include({ reason: 'CONTROL_PLANE_UNAVAILABLE' });
    }
    expect(secure.tokens, 'the token went to somebody else').to.have.length(length);
    await secure.stop();
  });

  it('names where it is reached', async () => {
    const order = await open({ source: 'sign', ipAddresses: ['10.1.2.3', '127.0.0.1'] }).identity('order');
    const certificate = new X509Certificate(order.leaf().chainPem);
    expect(['10.1.2.3', '127.0.0.1', '10.1.2.4'].map((ip) => certificate.checkIP(ip) !== undefined)).to.deep.equal([true, true, false]);
  });

  it('goes on with the last leaf when it cannot be renewed, tries again ever more slowly, and recovers', async () => {
    const certificates = open();
    const order = await certificates.identity('order');
    const held = order.leaf();
    server.setFailure(status.RESOURCE_EXHAUSTED);
    clock.jump(66 * HOUR_MS);
    await until('it was tried', () => certificates.counts().failures >= 2);
    expect(order.leaf()).to.equal(held);
    expect(memory.lines('Consul is gone')).to.have.length(1);
    server.setFailure(undefined);
    clock.jump(60_000);
    await until('it is renewed', () => order.leaf() !== held);
    expect(memory.lines('Consul is back')).to.have.length(1);
  });

  it('asks anew when another root begins to sign, within the time over which that is spread', async () => {
    const certificates = open({ source: 'sign', rotationSpreadMs: 10_000 });
    const order = await certificates.identity('order');
    const held = order.leaf();
    const next = await authority.rotated();
    server.setSigner(next, [authority]);
    await until('both roots are known', () => order.trust().roots.length === 2);
    expect(order.trust().roots[0]).to.equal(next.root.certPem);
    clock.jump(10_000);
    await until('the leaf is of the new root', () => order.leaf() !== held);
    expect(order.leaf().chainPem.match(/BEGIN CERTIFICATE/g)).to.have.length(2);
    // That the old root goes in the end is no reason for another leaf.
    server.setSigner(next, []);
    await until('the old root is gone', () => order.trust().roots.length === 1);
    clock.jump(10_000);
    await certificates.identity('payment');
    expect(server.signatures()).to.equal(3);
  });

  it('says what is missing when it is refused, at once', async () => {
    server.setFailure(status.PERMISSION_DENIED);
    const refused: unknown = await open().identity('order').catch((error: unknown) => error);
    expect(refused).to.include({ reason: 'CONTROL_PLANE_UNAVAILABLE' });
    expect(String(refused)).to.contain('PERMISSION_DENIED').and.to.contain('CONSUL_HTTP_TOKEN').and.to.not.contain(TOKEN);
  });

  it('gives up on an authority that is silent, and on whoever changes their mind', async () => {
    await server.stop();
    const certificates = open();
    const waiting = certificates.identity('order').catch((error: unknown) => error);
    await until('it was tried', () => certificates.counts().failures >= 1);
    clock.jump(10_000);
    expect(await waiting).to.include({ reason: 'CONTROL_PLANE_UNAVAILABLE' });
    const controller = new AbortController();
    const aborted = certificates.identity('order', controller.signal).catch((error: unknown) => error);
    const reason = new Error('changed my mind');
    controller.abort(reason);
    expect(await aborted).to.equal(reason);
  });

  it('is chosen by itself where the port answers, else the agent is asked', async () => {
    const byItself = open({});
    for (const service of ['order', 'payment']) expect((await byItself.identity(service)).leaf().service).to.equal(service);
    expect(memory.lines('signed by Consul, for keys that are made here'), 'once for a process').to.have.length(1);
    expect(memory.text()).to.contain("gRPC port answers").and.to.contain('until this process ends');
    self = undefined;
    const refused: unknown = await open({ source: 'sign' }).identity('order').catch((error: unknown) => error);
    expect(String(refused)).to.contain('set CONSUL_GRPC_ADDR');
    const untold = open({}).identity('order').catch(() => undefined);
    await until('it is said', () => memory.lines('certificates come from the agent').length === 1);
    expect(memory.text()).to.contain('MESH_CERTIFICATES=sign').and.to.contain('Consul does not say where its gRPC port is');
    await server.stop();
    const isAsked = (): boolean => http.requests.some(({ url }) => url?.startsWith('/v1/agent/connect/ca/leaf/payment'));
    // Whoever has a token and names the port has said that the agent is to make no keys.
    const refusing = open({ grpcAddress: server.address });
    const given: Promise<unknown> = refusing.identity('payment').catch((error: unknown) => error);
    await until('it was tried', () => refusing.counts().failures >= 1);
    clock.jump(10_000);
    const strict = await given;
    expect(String(strict)).to.contain('does not sign').and.to.contain('goes on trying');
    expect([isAsked(), memory.lines('certificates come from the agent').length]).to.deep.equal([false, 1]);
    const certificates = open({ grpcAddress: server.address }, '');
    const waiting = certificates.identity('order').catch(() => undefined);
    await until('it is said again', () => memory.lines('certificates come from the agent').length === 2);
    expect(http.requests.some(({ url }) => url?.startsWith('/v1/agent/connect/ca/leaf/order'))).to.equal(true);
    clock.jump(10_000);
    await Promise.all([waiting, untold]);
  });

  it('reads the forms of CONSUL_GRPC_ADDR and refuses others', () => {
    expect(parseGrpcAddress('127.0.0.1:8502')).to.deep.equal({ authority: '127.0.0.1:8502', secure: false });
    expect(parseGrpcAddress('https://consul.example')).to.deep.equal({ authority: 'consul.example:8503', secure: true });
    expect(parseGrpcAddress('http://[::1]')).to.deep.equal({ authority: '[::1]:8502', secure: false });
    for (const bad of ['', 'unix:///run/consul', 'http://user:pass@host', 'http://host/path', 'http://a b']) {
      expect(() => parseGrpcAddress(bad), bad).to.throw('CONSUL_GRPC_ADDR').with.property('reason', 'INVALID_SETTING');
    }
  });
});
