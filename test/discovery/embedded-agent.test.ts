import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { type EmbeddedAgent, type EmbeddedAgentOptions, startAgent } from '#discovery/agent';
import { silentLog, systemClock, systemRandom } from '#kit';

import { registrationBody } from '../../discovery/consul/registration-body.ts';
import { startBackend } from './support/backend.ts';
import { ask, indexOf } from './support/http.ts';
import { registration } from './support/instances.ts';
import { createManualClock } from './support/manual-clock.ts';
import { createMemoryLog } from './support/memory-log.ts';
import { until } from './support/until.ts';

const processScript = fileURLToPath(new URL('./support/instance-process.ts', import.meta.url));

describe('the embedded agent', () => {
  let folder: string;
  let agent: EmbeddedAgent | undefined;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'shopmesh-agent-test-'));
  });
  afterEach(async () => {
    await agent?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  async function start(more: Partial<EmbeddedAgentOptions> = {}): Promise<string> {
    const deps = { log: silentLog, clock: systemClock, random: systemRandom };
    agent = await startAgent({ dataDir: join(folder, 'data'), host: '127.0.0.1', port: 0, ...deps, ...more });
    return agent.url;
  }

  async function register(url: string, id: string, port: number): Promise<void> {
    const Check = { GRPC: `127.0.0.1:${port}`, Interval: '1s', Timeout: '500ms', Status: 'passing', DeregisterCriticalServiceAfter: '1s' };
    const body = JSON.stringify({ ...registrationBody(registration('stock', id, port)), Check });
    expect((await ask(url, 'PUT', '/v1/agent/service/register', body)).status).to.equal(200);
  }

  async function passing(url: string): Promise<readonly string[]> {
    const answer = await ask(url, 'GET', '/v1/health/service/stock?passing=true');
    return answer.json<{ Service: { ID: string } }[]>().map(({ Service }) => Service.ID);
  }

  it('keeps services, keys and indexes over a restart, in a file for its user alone', async () => {
    const backend = await startBackend('stock');
    let url = await start();
    await register(url, 'alive', backend.port);
    await register(url, 'dead', 1);
    await ask(url, 'PUT', '/v1/kv/a', 'one');
    const before = await ask(url, 'GET', '/v1/kv/a');
    const path = join(folder, 'data', 'agent.json');
    expect(await readFile(path, 'utf8')).to.contain('alive').and.to.contain('b25l');
    expect((await stat(path)).mode & 0o777).to.equal(0o600);
    expect((await stat(join(folder, 'data'))).mode & 0o777).to.equal(0o700);
    await agent?.stop();

    url = await start();
    const after = await ask(url, 'GET', '/v1/kv/a');
    expect(after.text).to.equal(before.text);
    const services = await ask(url, 'GET', '/v1/agent/services');
    expect(services.json<object>()).to.have.all.keys('alive', 'dead');
    await until('who is alive has passed its check', async () => (await passing(url)).join() === 'alive');
    await ask(url, 'PUT', '/v1/kv/a', 'two');
    expect(indexOf(await ask(url, 'GET', '/v1/kv/a'))).to.be.above(indexOf(before));
    await backend.stop();
  });

  it('never goes back to an index that it has given out, also when it is killed', async () => {
    const backend = await startBackend('stock');
    const path = join(folder, 'data', 'agent.json');
    let url = await start();
    await register(url, 'alive', backend.port);
    const written = await readFile(path);
    // Changes of health take indexes and are not written at once.
    backend.setServing(false);
    await until('it is out', async () => (await passing(url)).length === 0);
    const lastSeen = indexOf(await ask(url, 'GET', '/v1/health/service/stock'));
    await agent?.stop();
    await writeFile(path, written);
    url = await start();
    expect(indexOf(await ask(url, 'GET', '/v1/health/service/stock'))).to.be.above(lastSeen);
    await backend.stop();
  });

  it('trusts nobody after a restart until the check has run', async () => {
    const backend = await startBackend('stock');
    let url = await start();
    await register(url, 'alive', backend.port);
    await agent?.stop();
    await backend.stop();
    // Takes the instance's place and says nothing, so that the first check cannot have ended yet.
    const sockets: Socket[] = [];
    const silent = createServer((socket) => void sockets.push(socket.resume())).listen(backend.port, '127.0.0.1');
    await once(silent, 'listening');
    url = await start();
    expect(await passing(url)).to.deep.equal([]);
    await until('it is asked', () => sockets.length > 0);
    await agent?.stop();
    await until('the agent has let go of it', () => sockets.every((socket) => socket.closed));
    await new Promise((resolve) => silent.close(resolve));
  });

  it('starts with nothing when its file is damaged, and keeps the damaged one', async () => {
    const { log, lines } = createMemoryLog();
    for (const damage of ['{"format":1,"serv', '{"format":99}', '[]', '']) {
      const url = await start();
      await ask(url, 'PUT', '/v1/kv/a', 'one');
      await agent?.stop();
      await writeFile(join(folder, 'data', 'agent.json'), damage);
      const again = await start({ log });
      expect((await ask(again, 'GET', '/v1/kv/a')).status).to.equal(404);
      await agent?.stop();
    }
    expect(lines('cannot be read')).to.have.length(4);
    expect((await readdir(join(folder, 'data'))).some((name) => name.startsWith('agent.json.damaged-'))).to.equal(true);
  });

  it('says that its port is taken', async () => {
    await start();
    const first = agent;
    const failure = await start({ port: first?.port ?? 0, dataDir: join(folder, 'other') }).catch((error: unknown) => error);
    expect(failure).to.include({ code: 'FAILED_PRECONDITION', reason: 'PORT_IN_USE' });
    expect(failure).to.have.property('metadata').that.deep.equals({ host: '127.0.0.1', port: `${first?.port}` });
  });

  it('answers 501 with a sentence to what the shop does not use', async () => {
    const url = await start();
    const check = (more: object) => JSON.stringify({ Name: 'x', Check: more });
    const asked: [method: string, path: string, body?: string][] = [
      ['GET', '/v1/session/list'],
      ['POST', '/v1/connect/intentions', '{}'],
      ['PUT', '/v1/config', '{"Kind":"service-router"}'],
      ['POST', '/v1/kv/a', 'x'],
      ['GET', '/v1/kv/a?keys'],
      ['PUT', '/v1/kv/a?acquire=session', 'x'],
      ['GET', '/ui/'],
      ['PUT', '/v1/agent/service/register', JSON.stringify({ Name: 'x', Connect: { Native: true } })],
      ['PUT', '/v1/agent/service/register', check({ TTL: '10s' })],
      ['PUT', '/v1/agent/service/register', check({ GRPC: 'a:1', Interval: '1s', GRPCUseTLS: true })],
    ];
    for (const [method, path, body] of asked) {
      const answer = await ask(url, method, path, body);
      expect(answer.status, `${method} ${path}`).to.equal(501);
      expect(answer.text).to.contain('embedded agent').and.to.contain('run Consul');
    }
  });

  it('refuses nonsense and what is too large, and lives on', async () => {
    const url = await start();
    const bodies = ['null', '[]', '{"Name":1}', '{"Name":"x","Port":-1}', '{"Name":"x","Meta":{"a b":"c"}}', '{"Name":"x","Check":[]}'];
    bodies.push('{"Name":"x","Check":{"GRPC":"a:1","Interval":"soon"}}', '{"Name":"x","Weights":{"Passing":0}}');
    for (const body of bodies) expect((await ask(url, 'PUT', '/v1/agent/service/register', body)).status, body).to.equal(400);
    expect((await ask(url, 'PUT', '/v1/agent/service/register', 'x'.repeat(70_000))).status).to.equal(413);
    for (const path of ['/v1/kv/%ff', '/v1/kv/a?cas=-1', `/v1/kv/${'k'.repeat(600)}`]) {
      expect((await ask(url, 'PUT', path, 'x')).status, path).to.equal(400);
    }
    expect((await ask(url, 'GET', '/v1/status/leader')).status).to.equal(200);
  });

  it('lets go of a reader that has gone away', async () => {
    const clock = createManualClock();
    const url = await start({ clock });
    const socket = connect(agent?.port ?? 0, '127.0.0.1');
    await once(socket, 'connect');
    const index = indexOf(await ask(url, 'GET', '/v1/kv/a'));
    socket.write(`GET /v1/kv/a?index=${index} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
    await until('it waits', () => clock.sleeping().length === 1);
    expect(clock.sleeping()[0]).to.be.within(300_000, 318_750);
    socket.destroy();
    await until('it is let go', () => clock.sleeping().length === 0);
  });

  it('does not wait for more than ten minutes and a sixteenth', async () => {
    const clock = createManualClock();
    const url = await start({ clock });
    const index = indexOf(await ask(url, 'GET', '/v1/kv/a'));
    const waiting = ask(url, 'GET', `/v1/kv/a?index=${index}&wait=24h`);
    await until('it waits', () => clock.sleeping().length === 1);
    await clock.advance(637_500);
    expect((await waiting).status).to.equal(404);
  });

  it('stops while readers wait', async () => {
    const url = await start();
    const index = indexOf(await ask(url, 'GET', '/v1/kv/a'));
    const waiting = ask(url, 'GET', `/v1/kv/a?index=${index}&wait=60s`).catch(() => 'cut off');
    await ask(url, 'GET', '/v1/status/leader');
    await agent?.stop();
    expect(await waiting).to.equal('cut off');
  });

  it('forgets an instance that was critical for as long as it may be', async () => {
    const clock = createManualClock();
    const { log, lines } = createMemoryLog();
    const url = await start({ clock, log });
    await register(url, 'dead', 1);
    const begin = clock.now();
    await until('it is forgotten', async () => {
      await clock.advance(2_000);
      return (await ask(url, 'GET', '/v1/agent/services')).text === '{}';
    });
    expect(clock.now() - begin).to.be.at.least(60_000);
    expect(lines('forgets')).to.have.length(1);
    expect(lines('health of an instance changed')).to.have.length(1);
  });

  describe('with instances in processes of their own', () => {
    const children: ChildProcess[] = [];
    afterEach(async () => {
      for (const child of children.splice(0)) {
        child.kill('SIGKILL');
        if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
      }
    });

    async function spawnInstance(): Promise<{ child: ChildProcess; port: number }> {
      const child = spawn(process.execPath, [processScript], { stdio: ['pipe', 'pipe', 'inherit'] });
      children.push(child);
      const [line] = (await once(child.stdout.setEncoding('utf8'), 'data')) as [string];
      return { child, port: Number(line) };
    }

    it('takes out one that is killed with -9 and one that is stalled, and takes the stalled one back', async () => {
      const url = await start();
      const [killed, stalled] = await Promise.all([spawnInstance(), spawnInstance()]);
      const well = await startBackend('stock');
      for (const [id, port] of [['killed', killed.port], ['stalled', stalled.port], ['well', well.port]] as const) {
        await register(url, id, port);
      }
      await until('all are well', async () => (await passing(url)).length === 3);
      killed.child.kill('SIGKILL');
      stalled.child.kill('SIGSTOP');
      await until('only one is left', async () => (await passing(url)).join() === 'well', 6_000);
      stalled.child.kill('SIGCONT');
      await until('the stalled one is back', async () => (await passing(url)).join() === 'stalled,well', 6_000);
      await well.stop();
    });
  });
});
