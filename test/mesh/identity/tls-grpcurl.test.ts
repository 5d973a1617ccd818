import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { expect } from 'chai';

import { locateBackend, requireBackend } from '../../backends/locate.ts';
import { createTestAuthority, type TestAuthority } from '../../discovery/support/authority.ts';
import { holdIdentity } from '../../discovery/support/held-identity.ts';
import { startUserServer, type UserServer } from './support/user-server.ts';

const METHOD = 'shop.user.v1.UserService/GetUser';

describe('grpcurl, at a port with TLS', function () {
  this.timeout(30_000);
  let grpcurl: string;
  let ours: TestAuthority;
  let folder: string;
  let server: UserServer;

  before(async function () {
    const found = process.env['CI'] === 'true' ? await requireBackend('grpcurl') : await locateBackend('grpcurl');
    if (found === undefined) return this.skip();
    grpcurl = found;
    ours = await createTestAuthority();
    folder = await mkdtemp(join(tmpdir(), 'shopmesh-grpcurl-'));
    const { chainPem, keyPem } = await ours.leaf('operator');
    const files = { 'ca.pem': ours.root.certPem, 'leaf.pem': chainPem, 'key.pem': keyPem };
    for (const [name, pem] of Object.entries(files)) await writeFile(join(folder, name), pem, { mode: 0o600 });
  });
  after(async () => {
    if (folder !== undefined) await rm(folder, { recursive: true, force: true });
  });
  beforeEach(async () => {
    server = await startUserServer({ kind: 'mtls', identity: holdIdentity('user', await ours.leaf('user'), ours.trust), permissive: false });
  });
  afterEach(() => server.stop());

  const file = (name: string): string => join(folder, name);
  /** What it prints, or what it says when it fails. */
  async function call(...flags: readonly string[]): Promise<string> {
    const request = ['-max-time', '5', '-d', '{"userId": "demo"}', `localhost:${server.port}`, METHOD];
    const said = promisify(execFile)(grpcurl, [...flags, ...request]);
    // execFile rejects with the output of a program that exited with another code than 0.
    return said.then(({ stdout }) => stdout, (error: { stderr: string }) => error.stderr);
  }

  it('calls as the service of its certificate', async () => {
    expect(await call('-cacert', file('ca.pem'), '-cert', file('leaf.pem'), '-key', file('key.pem'))).to.equal('{}\n');
    expect(new Set(server.peers.map(({ service, proof }) => `${service} ${proof}`))).to.deep.equal(new Set(['operator certificate']));
  });

  it('calls as nobody without one', async () => {
    expect(await call('-cacert', file('ca.pem'))).to.equal('{}\n');
    expect(server.peers.map(({ proof }) => proof)).to.deep.equal(['none']);
  });

  it('is told what is wrong when it calls in plaintext', async () => {
    expect(await call('-plaintext')).to.contain('this port speaks TLS, and takes no plaintext');
    expect(server.peers).to.deep.equal([]);
  });
});
