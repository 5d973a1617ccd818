import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { expect } from 'chai';

import { createIdentities, type Identities } from '../../../cli/serving/identities.ts';
import { connectConsul, type ConsulControlPlane } from '#discovery';
import { type EmbeddedAgent, startAgent } from '#discovery/agent';
import { silentLog, systemRandom } from '#kit';
import { createMesh, type Mesh } from '#mesh';

import { createJumpClock, type JumpClock } from '../../discovery/support/jump-clock.ts';
import { until } from '../../discovery/support/until.ts';
import { createReadableMeter, type ReadableMeter } from './support/meter.ts';

const HOUR_S = 3_600;
const HOUR_MS = 1_000 * HOUR_S;

describe('the instruments of a process\'s certificates', function () {
  this.timeout(20_000);

  let folder: string;
  let clock: JumpClock;
  let agent: EmbeddedAgent;
  let plane: ConsulControlPlane;
  let identities: Identities;
  let meter: ReadableMeter;
  let mesh: Mesh;
  let isStopped: boolean;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'shopmesh-certificates-test-'));
    const parts = { clock: (clock = createJumpClock()), random: systemRandom, log: silentLog };
    agent = await startAgent({ ...parts, dataDir: folder, host: '127.0.0.1', port: 0 });
    isStopped = false;
    plane = await connectConsul({ ...parts, address: agent.url });
    identities = createIdentities(plane.certificates);
    meter = createReadableMeter();
    const openChannel = (): never => expect.fail('nobody calls');
    mesh = createMesh({ ...parts, openChannel, meter: meter.meter, certificates: identities.read });
  });
  afterEach(async () => {
    await mesh.stop();
    await meter.stop();
    await identities.stop();
    await plane.stop();
    if (!isStopped) await agent.stop();
    await rm(folder, { recursive: true, force: true });
  });

  const total = async (name: string): Promise<number | undefined> => (await meter.series(`mesh.certificate.${name}`))[0]?.[1];
  /** Hours until the leaf of each service expires. */
  const hoursLeft = async (): Promise<Readonly<Record<string, number>>> =>
    Object.fromEntries((await meter.series('mesh.certificate.expires_in')).map(([attributes, seconds]) => [attributes['mesh.service'], seconds / HOUR_S]));

  it('have how long each leaf is still good, which is not added up', async () => {
    expect(await hoursLeft()).to.deep.equal({});
    await Promise.all([identities.open('order'), identities.open('payment')]);
    const left = await hoursLeft();
    expect(Object.keys(left)).to.have.members(['order', 'payment']);
    expect(left['order']).to.be.within(71, 72);
    clock.jump(10 * HOUR_MS);
    expect((await hoursLeft())['payment']).to.be.within(61, 62);
  });

  it('have the leaves that were renewed, and the new one\'s end', async () => {
    await identities.open('order');
    expect(await total('renewals')).to.equal(0);
    clock.jump(65 * HOUR_MS);
    await until('it is renewed', async () => (await total('renewals')) === 1);
    expect((await hoursLeft())['order']).to.be.within(71, 72);
    expect(await total('expired')).to.equal(0);
  });

  it('have what failed while there is nobody to ask, and a leaf that has expired meanwhile', async () => {
    await identities.open('order');
    expect(await total('failures')).to.equal(0);
    await agent.stop();
    isStopped = true;
    await until('it is noticed', async () => ((await total('failures')) ?? 0) > 0);
    clock.jump(74 * HOUR_MS);
    await until('it is counted', async () => (await total('expired')) === 1);
    expect((await hoursLeft())['order']).to.be.within(-2.1, -1.9);
    expect(await total('renewals')).to.equal(0);
  });

  it('are left out where the process says nothing of them', async () => {
    const own = createReadableMeter();
    const other = createMesh({ clock, log: silentLog, openChannel: () => expect.fail('nobody calls'), meter: own.meter });
    expect([...(await own.collect()).keys()].filter((name) => name.startsWith('mesh.certificate'))).to.deep.equal([]);
    await other.stop();
    await own.stop();
  });
});
