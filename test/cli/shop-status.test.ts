import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';

import { credentials } from '@grpc/grpc-js';
import { expect } from 'chai';

import type { ProcessStatus, SupervisorStatus } from '../../cli/local/control-socket.ts';
import type { Ask } from '../../cli/status/ask-as-operator.ts';
import { askInstance } from '../../cli/status/ask-instance.ts';
import { renderShop } from '../../cli/status/render-shop.ts';
import { type Listed, listShop } from '../../cli/status/shop-status.ts';
import type { ControlPlane, InstanceHealth } from '#discovery';
import { UserService } from '#proto/shop/user/v1/user_pb.js';
import { useFleet } from '../mesh/support/fleet.ts';

/** The fleet's ports take no other. */
const PLAINTEXT = credentials.createInsecure();
const ask: Ask = (instance) => askInstance(instance, PLAINTEXT);

const base = { service: 'user', address: '127.0.0.1', version: '1', zone: 'local', weight: 1, metadata: {}, healthy: true };

describe('asking an instance', () => {
  const fleet = useFleet('remote');
  const host = () =>
    fleet().host(UserService, () => ({ getUser: async ({ userId }) => (userId === 'bug' ? Promise.reject(new TypeError('bug')) : {}) }), {
      instance: { id: 'user-1', version: '1' },
    });

  it('brings its process, its memory and its calls, in all and by method', async () => {
    const { port } = await host();
    for (const userId of ['demo', 'demo', 'bug']) await fleet().client(UserService).getUser({ userId }).catch(() => undefined);
    const facts = await askInstance({ ...base, id: 'user-1', port }, PLAINTEXT);
    const figures = { calls: 3, errors: 1, callsPerSecond: 0.3, errorsPerSecond: 0.1 };
    expect(facts).to.deep.include({ pid: process.pid, ...figures, methods: [{ method: 'shop.user.v1.UserService/GetUser', ...figures }] });
    expect(facts?.memoryBytes).to.be.above(1e6);
    expect(facts?.startedAt).to.be.closeTo(Date.now() - process.uptime() * 1_000, 2_000);
  });

  it('brings nothing when another instance has its port by now', async () => {
    const { port } = await host();
    expect(await askInstance({ ...base, id: 'user-0', port }, PLAINTEXT)).to.equal(undefined);
  });

  it('brings nothing, soon, when nobody answers', async () => {
    const sockets: Socket[] = [];
    const mute = createServer((socket) => sockets.push(socket)).listen(0, '127.0.0.1');
    await once(mute, 'listening');
    const address = mute.address();
    const port = typeof address === 'object' ? (address?.port ?? 0) : 0;
    const started = performance.now();
    expect(await askInstance({ ...base, id: 'user-1', port }, PLAINTEXT)).to.equal(undefined);
    expect(performance.now() - started).to.be.below(2_000);
    for (const socket of sockets) socket.destroy();
    mute.close();
    expect(await askInstance({ ...base, id: 'user-1', port }, PLAINTEXT)).to.equal(undefined);
  });
});

describe('the list of a shop', () => {
  const fleet = useFleet('remote');

  const instance = (id: string, more: Partial<InstanceHealth> = {}): InstanceHealth => ({ ...base, id, port: 1, ...more });
  // The list asks nothing else of the control plane.
  const registry = (...instances: InstanceHealth[]) => ({ listInstances: async () => instances }) as unknown as ControlPlane;
  const supervisor = (...processes: ProcessStatus[]): SupervisorStatus => ({
    ...{ pid: 1, version: '1', topology: 'micro', startedAt: 0, consulUrl: '', jaegerUrl: '' },
    processes,
  });
  const inShort = (listed: readonly Listed[]) =>
    listed.map((entry) => [entry.service, entry.kind === 'instance' ? entry.id : entry.process, entry.state, entry.pid]);

  it('has every registered instance, also those that nobody here started', async () => {
    const { port } = await fleet().host(UserService, () => ({}), { instance: { id: 'user-1', version: '1' } });
    const listed = await listShop(registry(instance('user-1', { port }), instance('user-2', { healthy: false })), undefined, ask);
    expect(inShort(listed)).to.deep.equal([
      ['user', 'user-1', 'passing', process.pid],
      ['user', 'user-2', 'critical', undefined],
    ]);
  });

  it('has the process of an instance that does not answer from the supervisor', async () => {
    const running: ProcessStatus = { name: 'user', services: ['user'], instances: ['user-1'], startedAt: 0, state: 'ready', pid: 42 };
    expect(inShort(await listShop(registry(instance('user-1')), supervisor(running), ask))).to.deep.equal([['user', 'user-1', 'passing', 42]]);
  });

  it('names the process of an instance as `mesh logs` does, and none for one of another terminal', async () => {
    const { port } = await fleet().host(UserService, () => ({}), { instance: { id: 'user-3', version: '1' } });
    const slot: ProcessStatus = { name: 'user-2', services: ['user'], instances: ['user-1'], startedAt: 5, state: 'ready', pid: 42 };
    // Of another service in the same process id, such as on another machine.
    const foreign: ProcessStatus = { name: 'order', services: ['order'], instances: ['order-1'], startedAt: 5, state: 'ready', pid: process.pid };
    const listed = await listShop(registry(instance('user-1'), instance('user-3', { port }), instance('order-1', { service: 'order' })), supervisor(slot, foreign), ask);
    expect(listed.map((entry) => [entry.kind, entry.kind === 'instance' && entry.id, entry.process])).to.deep.equal([
      ['instance', 'order-1', 'order'],
      ['instance', 'user-1', 'user-2'],
      ['instance', 'user-3', undefined],
    ]);
  });

  it('tells when each has started in the same field, whatever it is', async () => {
    const { port } = await fleet().host(UserService, () => ({}), { instance: { id: 'user-1', version: '1' } });
    const processes: ProcessStatus[] = [
      { name: 'user-2', services: ['user'], instances: ['user-2'], startedAt: 5, state: 'ready', pid: 42 },
      { name: 'user-3', services: ['user'], instances: [], startedAt: 7, state: 'starting', pid: 43 },
    ];
    const [answering, silent, starting] = await listShop(registry(instance('user-1', { port }), instance('user-2')), supervisor(...processes), ask);
    expect(answering?.startedAt).to.be.closeTo(Date.now() - process.uptime() * 1_000, 2_000);
    expect([silent?.startedAt, starting?.startedAt]).to.deep.equal([5, 7]);
  });

  it('has the processes without an instance, one row for each of their services, with the reason why', async () => {
    const processes: ProcessStatus[] = [
      { name: 'monolith', services: ['user', 'order'], instances: [], startedAt: 5, state: 'starting', pid: 42 },
      { name: 'user-2', services: ['user'], instances: [], startedAt: 5, state: 'given-up', pid: undefined, reason: 'port 1 is taken' },
    ];
    const listed = await listShop(registry(), supervisor(...processes), ask);
    expect(inShort(listed)).to.deep.equal([
      ['order', 'monolith', 'starting', 42],
      ['user', 'monolith', 'starting', 42],
      ['user', 'user-2', 'given-up', undefined],
    ]);
    expect(listed[2]).to.include({ kind: 'process', reason: 'port 1 is taken' });
  });

  it('has a process once that is registered and still starting to the supervisor', async () => {
    const { port } = await fleet().host(UserService, () => ({}), { instance: { id: 'user-1', version: '1' } });
    const starting: ProcessStatus = { name: 'user', services: ['user'], instances: [], startedAt: 0, state: 'starting', pid: process.pid };
    expect(inShort(await listShop(registry(instance('user-1', { port })), supervisor(starting), ask))).to.deep.equal([
      ['user', 'user-1', 'passing', process.pid],
    ]);
  });
});

describe('the list of a shop, for people', () => {
  const figures = { calls: 0, errors: 0, callsPerSecond: 0, errorsPerSecond: 0 };
  const NOW_MS = 1_000_000_000;
  const facts = { pid: 4_194_304, startedAt: NOW_MS - 119_999, memoryBytes: 169_400_000, ...figures, methods: [] };
  const listed = (more: object): Listed => ({ kind: 'instance', state: 'passing', ...base, id: 'user-1', port: 50_051, mtlsPort: 40_001, process: 'user', ...facts, ...more });
  const cellsOf = (entry: Listed): string[] => renderShop([entry], NOW_MS).split('\n')[1]?.split(/ {2,}/) ?? [];

  it('shows what each instance says', () => {
    expect(cellsOf(listed({ calls: 12_345, callsPerSecond: 12.5, errorsPerSecond: 0.1 }))).to.deep.equal(
      ['user', '127.0.0.1:50051', 'user', 'passing', '4194304', '119 s', '169 MB', '12345', '12.5', '0.1'],
    );
  });

  it('shows how long in the largest unit that says enough', () => {
    const minute = 60_000;
    const shown = [0, 2 * minute, 119 * minute, 120 * minute, 47 * 60 * minute, 49 * 60 * minute].map((ms) => cellsOf(listed({ startedAt: NOW_MS - ms }))[5]);
    expect(shown).to.deep.equal(['0 s', '2 min', '119 min', '2 h', '47 h', '2 d']);
  });

  it('shows a dash for what an instance did not say', () => {
    expect(cellsOf({ kind: 'instance', state: 'critical', ...base, id: 'user-1', port: 1, mtlsPort: 1 })).to.deep.equal(['user', '127.0.0.1:1', '-', 'critical', '-', '-', '-', '-', '-', '-']);
  });

  it('has columns for version and zone where they differ, else says them once', () => {
    const other = listed({ id: 'user-2', version: '2' });
    const [head, , second, below] = renderShop([listed({}), other], NOW_MS).split('\n');
    expect(head).to.match(/HEALTH +VERSION +PID/);
    expect(second).to.match(/ passing +2 +4194304 /);
    expect(below).to.equal('zone local');
    expect(renderShop([listed({})], NOW_MS).split('\n').at(-1)).to.equal('version 1, zone local');
  });

  it('shows no control character of what others have registered', () => {
    const wild = '\u001b[2J\u009b1m\u202e\r';
    const registered = listed({ id: wild, address: wild, version: wild, zone: wild, service: wild, process: wild });
    const [head, ...lines] = renderShop([registered, listed({}), { kind: 'process', service: 'user', process: 'user', startedAt: 0, state: 'given-up', pid: undefined, reason: wild }], NOW_MS).split('\n');
    expect(lines.join('')).to.not.match(/[\p{Cc}\p{Cf}]/u);
    expect(lines[1]?.indexOf('passing'), 'padded as it is shown').to.equal(head?.indexOf('HEALTH'));
  });

  it('shows processes without an instance by name and state, and says why they do not run', () => {
    const process = { kind: 'process', service: 'user', startedAt: 0 } as const;
    const [, ...lines] = renderShop([
      { ...process, process: 'user', state: 'starting', pid: 42 },
      { ...process, process: 'user-2', state: 'given-up', pid: undefined, reason: 'port 1 is taken' },
      { ...process, process: 'user-3', state: 'ready', pid: 43 },
    ], NOW_MS).split('\n');
    expect(lines.map((line) => line.replaceAll(/ {2,}/g, ' | '))).to.deep.equal([
      'user | - | user | starting | 42 | - | - | - | - | -',
      'user | - | user-2 | given up | - | - | - | - | - | -',
      'user | - | user-3 | not registered | 43 | - | - | - | - | -',
      'user-2: port 1 is taken',
    ]);
  });

  it('fits 110 columns with long numbers', () => {
    const long = listed({ service: 'recommendation', process: 'recommendation-2', calls: 12_345_678, callsPerSecond: 12_345, errorsPerSecond: 1_234, memoryBytes: 1_234_000_000 });
    for (const line of renderShop([long], NOW_MS).split('\n')) expect(line.length).to.be.at.most(110);
  });

  it('says what to do when there is nothing', () => {
    expect(renderShop([], NOW_MS)).to.contain('npx mesh up');
  });
});
