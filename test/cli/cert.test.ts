import { execFile } from 'node:child_process';
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Command } from 'commander';
import { expect } from 'chai';

import { certificateOptions } from '../../cli/serving/certificate-settings.ts';
import { addCert } from '../../cli/usage/cert.ts';
import { createTestAuthority } from '../discovery/support/authority.ts';
import { type ConsulServer, startEmbedded } from '../discovery/support/consul-server.ts';
import { answerJson, startScriptedConsul } from '../discovery/support/scripted-consul.ts';
import { type Environment, inherited } from './support/shop-folder.ts';

describe('mesh cert', function () {
  this.timeout(20_000);
  let folder: string;
  let agent: ConsulServer;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'shopmesh-cert-'));
    agent = await startEmbedded();
  });
  after(async () => {
    await agent.stop();
    await rm(folder, { recursive: true });
  });

  /** The command as `mesh` adds it. */
  async function cert(args: readonly string[], more: Environment = {}): Promise<{ people: string; programs: Record<string, string>; warnings: string[] }> {
    const said = { people: '', programs: {} as Record<string, string>, warnings: [] as string[] };
    const output = {
      ...{ json: false, width: undefined, readerGone: new AbortController().signal, note: () => undefined },
      answer: (forPeople: () => string, forPrograms: unknown) => {
        said.people = forPeople();
        said.programs = forPrograms as Record<string, string>;
      },
    };
    const mesh = new Command('mesh').exitOverride().configureOutput({ writeErr: () => undefined });
    const command = (usage: string, description: string): Command => mesh.command(usage).description(description).exitOverride();
    addCert({ command, output, warn: (line) => void said.warnings.push(line), finish: () => undefined });
    const outer = process.env;
    process.env = { ...inherited(), MESH_DATA_DIR: join(folder, 'data'), CONSUL_HTTP_ADDR: agent.httpAddr, ...more };
    try {
      await mesh.parseAsync(['cert', ...args], { from: 'user' });
      return said;
    } finally {
      process.env = outer;
    }
  }

  it('writes certificate, key and roots that openssl and Node accept, for their owner alone', async () => {
    const out = join(folder, 'order');
    const { people, programs, warnings } = await cert(['order', '--out', out]);
    const { certificate = '', key = '', roots = '', notAfter = '' } = programs;
    expect([certificate, key, roots]).to.deep.equal([join(out, 'order.pem'), join(out, 'order-key.pem'), join(out, 'roots.pem')]);
    expect(people).to.match(/^spiffe:\/\/[0-9a-f-]{36}\.consul\/ns\/default\/dc\/dc1\/svc\/order, until /).and.to.contain('grpcurl -cert ');
    expect(people).to.not.contain('PRIVATE');
    expect(await Promise.all([out, certificate, key, roots].map(async (path) => (await stat(path)).mode & 0o777))).to.deep.equal([0o700, 0o600, 0o600, 0o600]);
    expect(Date.parse(notAfter) - Date.now()).to.be.within(3_400_000, 3_600_000);
    expect(warnings).to.deep.equal([]);
    const leaf = new X509Certificate(await readFile(certificate));
    expect(leaf.checkPrivateKey(createPrivateKey(await readFile(key)))).to.equal(true);
    expect(leaf.verify(new X509Certificate(await readFile(roots)).publicKey)).to.equal(true);
    const openssl = await promisify(execFile)('openssl', ['verify', '-purpose', 'sslclient', '-CAfile', roots, certificate]).catch((error: { code: string }) => error.code);
    // Where there is no openssl, Node's check above stands alone.
    if (openssl !== 'ENOENT') expect(openssl).to.have.property('stdout', `${certificate}: OK\n`);
  });

  it('is for explorer, in the shop\'s own folder, where nothing else is said', async () => {
    const { programs } = await cert(['--ttl', '10m']);
    expect(programs['certificate']).to.equal(join(folder, 'data', 'certificates', 'explorer.pem'));
    expect(Date.parse(programs['notAfter'] ?? '') - Date.now()).to.be.within(500_000, 600_000);
  });

  it('says so when the authority gives another lifetime', async () => {
    const authority = await createTestAuthority();
    const { chainPem, keyPem } = await authority.leaf('order', 72 * 3_600_000);
    const consul = await startScriptedConsul((request, response) => {
      const path = request.url ?? '';
      if (path.includes('/status/leader')) answerJson(response, 200, '127.0.0.1:8300');
      else if (path.includes('/agent/self')) answerJson(response, 200, {});
      else if (path.includes('/ca/leaf/')) answerJson(response, 200, { CertPEM: chainPem, PrivateKeyPEM: keyPem }, { 'x-consul-index': '7' });
      else answerJson(response, 200, { ActiveRootID: 'a', TrustDomain: authority.trust.trustDomain, Roots: [{ ID: 'a', RootCert: authority.root.certPem }] });
    });
    try {
      const { warnings } = await cert(['order', '--out', join(folder, 'long')], { CONSUL_HTTP_ADDR: consul.url });
      expect(warnings.join()).to.contain('holds for 2 d instead of 60 min');
    } finally {
      await consul.stop();
    }
  });

  const refused: readonly [args: readonly string[], says: string][] = [
    [['Order/x'], 'cannot be the name of a service'],
    [['order', '--ttl', '10s'], 'a minute or more'],
    [['order', '--ttl', 'soon'], 'a minute or more'],
    [['order', '--out', '/dev/null/x'], 'cannot write to /dev/null/x'],
  ];
  for (const [args, says] of refused) {
    it(`refuses \`mesh cert ${args.join(' ')}\` and says why`, async () => {
      const failure: unknown = await cert(args).catch((error: unknown) => error);
      expect(failure).to.have.property('message').that.contains(says);
    });
  }

  it('asks nobody else\'s shop', async () => {
    const failure: unknown = await cert(['order'], { CONSUL_HTTP_ADDR: '' }).catch((error: unknown) => error);
    expect(failure).to.have.property('reason', 'NOT_RUNNING');
  });

  it('reads the authority of a gRPC port with TLS, or says that it cannot', async () => {
    const file = join(folder, 'consul-ca.pem');
    await writeFile(file, 'pem');
    const values = { MESH_ADVERTISE: '10.0.0.1', CONSUL_GRPC_CACERT: file };
    expect(await certificateOptions(values)).to.deep.include({ source: 'auto', grpcCaPem: 'pem', ipAddresses: ['10.0.0.1'] });
    expect((await certificateOptions({ MESH_ADVERTISE: 'host.invalid' })).ipAddresses).to.deep.equal([]);
    expect((await certificateOptions({ MESH_ADVERTISE: 'localhost' })).ipAddresses, 'of a host name').to.have.length(1);
    const failure: unknown = await certificateOptions({ ...values, CONSUL_GRPC_CACERT: '/nowhere' }).catch((error: unknown) => error);
    expect(failure).to.have.property('reason', 'INVALID_SETTING');
  });
});
