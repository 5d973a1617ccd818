import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { chown, mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { expect } from 'chai';

import { MeshError, type Stoppable } from '#kit';

import { type ControlHandlers, openControlSocket } from '../../cli/local/control-server.ts';
import { askEnvironment, askSupervisor, tellToStop } from '../../cli/local/control-socket.ts';
import { dataFolder } from '../../cli/local/data-folder.ts';

describe('the control socket', () => {
  let folder: string;
  let path: string;
  let open: Stoppable[];
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'shopmesh-socket-'));
    path = join(folder, 'control.sock');
    open = [];
  });
  afterEach(async () => {
    await Promise.all(open.map((door) => door.stop()));
    expect(existsSync(path), 'the socket').to.equal(false);
    await rm(folder, { recursive: true });
  });

  async function openDoor(handlers: Partial<ControlHandlers> = {}): Promise<void> {
    const status = { pid: process.pid, version: '1', topology: 'micro', startedAt: 0, consulUrl: '', jaegerUrl: '', processes: [] };
    open.push(await openControlSocket(path, { status: () => status, environment: () => undefined, stop: () => undefined, ...handlers }));
  }

  it('is open to its user alone from its first moment', async () => {
    await openDoor();
    expect(((await stat(path)).mode & 0o777).toString(8)).to.equal('600');
  });

  it('tells the status, and the way to the servers once they are there', async () => {
    const shop: { environment?: Record<string, string> } = {};
    await openDoor({ environment: () => shop.environment });
    expect(await askSupervisor(path)).to.include({ pid: process.pid, topology: 'micro' });
    expect(await askEnvironment(path)).to.equal(undefined);
    shop.environment = { DATABASE_URL_ORDER: 'postgres://x' };
    expect(await askEnvironment(path)).to.deep.equal(shop.environment);
  });

  it('passes the wish to stop on', async () => {
    const told = Promise.withResolvers<void>();
    await openDoor({ stop: told.resolve });
    await tellToStop(path);
    await told.promise;
  });

  it('is a lock: of two that want it at once, one gets it', async () => {
    const outcomes = await Promise.allSettled([openDoor(), openDoor()]);
    expect(outcomes.map(({ status }) => status).sort()).to.deep.equal(['fulfilled', 'rejected']);
    const [refused] = outcomes.filter((outcome) => outcome.status === 'rejected');
    expect(refused?.reason).to.be.instanceOf(MeshError).and.include({ reason: 'ALREADY_RUNNING' });
    expect(await askSupervisor(path)).to.include({ pid: process.pid });
  });

  it('that a killed process has left is taken over', async () => {
    const script = `require('node:http').createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, 'SIGKILL'))`;
    await once(spawn(process.execPath, ['-e', script], { stdio: 'ignore' }), 'exit');
    expect(existsSync(path)).to.equal(true);
    expect(await askSupervisor(path)).to.equal(undefined);
    await openDoor();
    expect(await askSupervisor(path)).to.include({ pid: process.pid });
  });

  // Only root can make a file somebody else's.
  const itAsRoot = process.getuid?.() === 0 ? it : () => undefined;
  itAsRoot('of somebody else is not believed', async () => {
    await openDoor();
    await chown(path, 12_345, 12_345);
    const thrown = await askSupervisor(path).catch((reason: unknown) => reason);
    expect(thrown).to.be.instanceOf(MeshError).and.include({ reason: 'UNREACHABLE' });
    expect((thrown as MeshError).message).to.include('belongs to user 12345; run this as that user, or set MESH_DATA_DIR');
  });

  it('lies in the data folder, or where the path is too long for a socket, in the folder for temporary files', () => {
    expect(dataFolder('/srv/shop').controlSocket).to.equal('/srv/shop/control.sock');
    const [one, other] = ['a', 'b'].map((letter) => dataFolder(`/srv/${letter.repeat(120)}`).controlSocket);
    expect(one).to.match(/\/shopmesh-[0-9a-f]{16}\.sock$/).and.not.equal(other);
    expect(Buffer.byteLength(one ?? '')).to.be.lessThan(104);
  });
});
