import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { expect } from 'chai';

import { type Clock, createLog, refusal, silentLog } from '#kit';

import { spawnChild } from '../../cli/local/child.ts';
import { ManagedProcess, type ManagedProcessOptions } from '../../cli/local/managed-process.ts';
import { createRestarts, type Life } from '../../cli/local/restarts.ts';
import { eventually } from './support/eventually.ts';
import { inherited } from './support/shop-folder.ts';

describe('whether a process is run again', () => {
  const served = (forMs: number): Life => ({ kind: 'served', forMs });
  const failed: Life = { kind: 'failed', error: refusal('PORT_IN_USE', 'the port is taken') };
  const forlorn: Life = { kind: 'failed', error: refusal('CONTROL_PLANE_UNAVAILABLE', 'Consul is away') };
  const verdicts = (...lives: Life[]): unknown[] => {
    const judge = createRestarts(10_000);
    return lives.map(judge).map((verdict) => (verdict.kind === 'again' ? verdict.attempt : verdict));
  };

  it('waits longer after each short life, and begins anew after a long one', () => {
    expect(verdicts(served(200), served(9_999), failed, served(0), served(10_000), served(1))).to.deep.equal([1, 2, 3, 4, 1, 2]);
  });

  it('gives up after five starts in a row that failed', () => {
    expect(verdicts(failed, failed, failed, failed, failed)).to.deep.equal([1, 2, 3, 4, { kind: 'give-up', starts: 5 }]);
    expect(verdicts(failed, failed, failed, failed, served(1), failed)).to.deep.equal([1, 2, 3, 4, 5, 6]);
  });

  it('never gives up while a server it stands on is away', () => {
    expect(verdicts(...Array.from({ length: 50 }, () => forlorn)).at(-1)).to.equal(50);
  });
});

/** Programs that stand for a service: what each does with its settings. */
const SERVED = '[{ name: "order", id: "order-1", address: "127.0.0.1", port: 1 }]';
const WORKS = `process.on("SIGTERM", () => process.exit(0)); process.send({ kind: "ready", services: ${SERVED} });`;
const DIES = `process.send({ kind: "ready", services: ${SERVED} }, () => process.exit(1));`;
const FAILS = 'process.send({ kind: "failed", reason: "SCHEMA_OUTDATED", message: "the tables are old" }, () => process.exit(1));';

describe('a process that is kept up', function () {
  this.timeout(30_000);
  this.slow(5_000);

  let folder: string;
  let logs: string;
  let waits: number[];
  let reports: string[];
  let forgotten: string[];
  let processes: ManagedProcess[];
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'shopmesh-restarts-'));
    logs = join(folder, 'logs');
    [waits, reports, forgotten, processes] = [[], [], [], []];
  });
  afterEach(async () => {
    await Promise.all(processes.map((process) => process.stop()));
    await rm(folder, { recursive: true, force: true });
  });

  const become = (program: string): Promise<void> => writeFile(join(folder, 'program.mjs'), `process.on("message", () => { ${program} });\n`);

  /** Its waits take no time and are written down. */
  async function start(program: string, options: Partial<ManagedProcessOptions> = {}): Promise<ManagedProcess> {
    await become(program);
    let time = 0;
    const clock: Clock = {
      now: () => time,
      sleep: async (ms) => {
        waits.push(ms);
        time += ms;
      },
    };
    const process = new ManagedProcess({
      child: { name: 'order', services: ['order'], logFolder: logs, stopTimeoutMs: 10_000, environment: inherited(), launcher: join(folder, 'program.mjs') },
      environment: async () => ({}),
      forget: async (ids) => void forgotten.push(...ids),
      report: (name, what) => void reports.push(`${name}: ${what}`),
      howToRetry: () => 'npx mesh scale order 1',
      steadyMs: 10_000,
      clock,
      random: { number: () => 0.5, bytes: (count) => new Uint8Array(count) },
      log: silentLog,
      ...options,
    });
    processes.push(process);
    process.keepUp();
    return process;
  }

  function kill(process: ManagedProcess): void {
    const status = process.status();
    if (status.pid !== undefined) globalThis.process.kill(status.pid, 'SIGKILL');
  }

  it('waits longer each time it dies right after its start, and its instances are forgotten', async () => {
    await start(DIES);
    await eventually('it was run five times', () => waits.length >= 4);
    expect(waits.slice(0, 4)).to.deep.equal([500, 1_000, 2_000, 4_000]);
    expect(reports.slice(0, 2)).to.deep.equal(['order: 127.0.0.1:1', 'order: ended with exit code 1; starting it again in 0.5 s']);
    expect(forgotten.slice(0, 2)).to.deep.equal(['order-1', 'order-1']);
  });

  it('is a warning in the log, each time it dies and when it is given up: of a detached shop nobody reads the terminal', async () => {
    const destination = join(folder, 'supervisor.log');
    const process = await start(FAILS, { log: createLog({ level: 'warn', destination }) });
    await process.settled();
    const lines = async () => (await readFile(destination, 'utf8')).trim().split('\n').map((line) => JSON.parse(line) as { msg: string; process: string });
    await eventually('the last one is written', async () => (await lines()).some(({ msg }) => msg.includes('given up after 5 starts')));
    const told = (await lines()).filter(({ msg }) => /starting it again|given up/.test(msg));
    expect(told.map(({ process: name }) => name)).to.deep.equal(Array(5).fill('order'));
    expect(told.map(({ msg }) => /; (starting it again in .*|given up after 5 starts)/.exec(msg)?.[1])).to.deep.equal([
      ...['0.5', '1.0', '2.0', '4.0'].map((wait) => `starting it again in ${wait} s`),
      'given up after 5 starts',
    ]);
    expect(told[0]?.msg).to.match(/^order could not start: the tables are old\./);
  });

  it('is given up when it cannot start, shows why, and is tried again when told to', async () => {
    const process = await start(FAILS);
    await process.settled();
    expect(waits).to.deep.equal([500, 1_000, 2_000, 4_000]);
    const reason = `could not start: the tables are old. Its log: ${join(logs, 'order.log')}`;
    expect(process.status()).to.include({ state: 'given-up', pid: undefined, reason });
    expect(reports.at(-1)).to.equal(`order: ${reason}; given up after 5 starts that failed: mend it, then \`npx mesh scale order 1\` tries again`);

    await become(WORKS);
    process.retry();
    expect(process.status().state).to.equal('starting');
    await process.settled();
    expect(process.status().state).to.equal('ready');
    process.retry();
    expect(process.status().state, 'told again').to.equal('ready');
  });

  it('comes back though its log folder is gone, and logs', async () => {
    const process = await start(`console.error("at work"); ${WORKS}`);
    await process.settled();
    await rm(logs, { recursive: true });
    kill(process);
    await eventually('it serves again', () => waits.length === 1 && process.status().state === 'ready');
    expect(await readFile(join(logs, 'order.log'), 'utf8')).to.equal('at work\n');
  });

  it('is given up when it cannot be run, as without a place for its log, and tried again when told to', async () => {
    const process = await start(WORKS);
    await process.settled();
    await rm(logs, { recursive: true });
    await writeFile(logs, 'no folder');
    kill(process);
    await eventually('it is given up', () => process.status().state === 'given-up');
    expect(process.status()).to.have.property('reason').that.matches(/^could not be run \(EEXIST: .*logs'\)$/);
    expect(reports.at(-1)).to.match(/^order: could not be run \(EEXIST: .*\); given up after 5 starts that failed: mend it, then `npx mesh scale order 1` tries again$/);

    await rm(logs);
    process.retry();
    await process.settled();
    expect(process.status().state).to.equal('ready');
  });

  it('alone is given up when what keeps it up fails', async () => {
    const process = await start(DIES, { forget: () => Promise.reject(new Error('nobody expects this')) });
    await eventually('it is given up', () => process.status().state === 'given-up');
    expect(process.status()).to.include({ pid: undefined, reason: 'could not be kept up (nobody expects this)' });
  });

  it('stops at once while it waits for its next start', async () => {
    const forEver: Clock = {
      now: () => 0,
      sleep: (_ms, signal) => new Promise((_, reject) => signal?.addEventListener('abort', () => reject(new Error('aborted')))),
    };
    const process = await start(DIES, { clock: forEver });
    await eventually('it waits', () => process.status().state === 'restarting');
    expect(process.status()).to.include({ reason: 'ended with exit code 1' });
    await process.stop();
    expect(process.status().state).to.equal('stopping');
  });

  it('has its whole stop timeout to stop by itself, and is killed only after that', async () => {
    const program = 'process.on("SIGTERM", () => setTimeout(() => process.exit(0), 100)); process.send({ kind: "ready", services: [] });';
    await become(program);
    const child = spawnChild({ name: 'order', services: ['order'], logFolder: folder, stopTimeoutMs: 100, environment: inherited(), launcher: join(folder, 'program.mjs') });
    await child.start({});
    await child.stop();
    expect(await child.exited).to.equal('');
  });
});
