import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { expect } from 'chai';

import type { InstanceHealth } from '#discovery';
import { systemClock } from '#kit';
import { MODULE_NAMES } from '#modules';

import type { Check, Scene } from '../../cli/doctor/check.ts';
import { ports } from '../../cli/doctor/ports.ts';
import { processes } from '../../cli/doctor/processes.ts';
import { registrations } from '../../cli/doctor/registrations.ts';
import { runChecks } from '../../cli/doctor/run-checks.ts';
import { settings as settingsCheck } from '../../cli/doctor/settings.ts';
import { silentServer } from '../../cli/doctor/silent-server.ts';
import { versions } from '../../cli/doctor/versions.ts';
import type { ProcessStatus, SupervisorStatus } from '../../cli/local/control-messages.ts';
import { loadSettings, portSetting } from '../../cli/settings.ts';
import { freePort } from '../backends/free-port.ts';
import { makeTestFolder } from '../database/postgres-fixture.ts';
import { occupyPort } from './support/occupied-port.ts';

const FREE_PORTS = Object.fromEntries(MODULE_NAMES.map((name) => [portSetting(name), '0']));

describe('the checks of mesh doctor', () => {
  const sceneHere = async (flags: Readonly<Record<string, string>> = {}): Promise<Scene> => {
    const settings = await loadSettings(flags);
    return { given: settings, settings, supervisor: undefined, registry: { kind: 'none', why: 'no shop runs here' }, clock: systemClock };
  };

  it('that take too long, and those that throw, are findings', async () => {
    const hangs: Check = { name: 'hangs', run: () => new Promise(() => undefined) };
    const throws: Check = { name: 'throws', run: () => Promise.reject(new Error('broken')) };
    const found = await runChecks([hangs, throws], await sceneHere(), 20);
    expect(found.map(({ check, level }) => `${check} ${level}`)).to.deep.equal(['hangs fail', 'throws fail']);
    expect(found[0]?.says).to.equal('no answer within 0.02 s');
  });

  /** As a registry has it, with everything that does not matter here. */
  const instance = (id: string, address: string, port: number): InstanceHealth => {
    const [service = ''] = id.split('-');
    return { id, service, address, port, version: '1', zone: 'local', weight: 1, metadata: {}, healthy: true };
  };

  it('take a port for the service\'s own only where it is registered on this machine\'s address', async () => {
    const listener = await occupyPort();
    const scene = await sceneHere({ ...FREE_PORTS, MESH_PORT_USER: String(listener.port) });
    const look = (address: string) =>
      ports.run({ ...scene, registry: { kind: 'seen', instances: [instance('user-1', address, listener.port)] } }, AbortSignal.timeout(5_000));
    const [elsewhere, here] = [await look('10.9.8.7'), await look('127.0.0.1')];
    await listener.close();
    expect(elsewhere.map(({ says }) => says)).to.deep.equal([`port ${listener.port} on 127.0.0.1 is taken by somebody else, so user cannot start`]);
    expect(here.map(({ level }) => level)).to.deep.equal(['ok']);
  });

  it('show how to take a dead instance out of Consul without a secret', async () => {
    const advise = async (settings: Readonly<Record<string, string>>): Promise<string> => {
      const scene = await sceneHere(settings);
      const instances = [instance('user-1', '127.0.0.1', await freePort())];
      const [finding] = await registrations.run({ ...scene, registry: { kind: 'seen', instances } }, AbortSignal.timeout(5_000));
      return finding && 'advice' in finding ? finding.advice : '';
    };
    const path = '/v1/agent/service/deregister/user-1';
    expect(await advise({ CONSUL_HTTP_ADDR: 'http://ada:hunter2@127.0.0.1:8501' })).to.match(new RegExp(`: curl -X PUT http://127\\.0\\.0\\.1:8501${path}$`));
    expect(await advise({ CONSUL_HTTP_ADDR: '127.0.0.1:8501', CONSUL_HTTP_TOKEN: 'hunter2' }))
      .to.include(`printf 'X-Consul-Token: %s' "$CONSUL_HTTP_TOKEN" | curl -X PUT -H @- http://127.0.0.1:8501${path}`)
      .and.not.include('hunter2');
    expect(await advise({ CONSUL_HTTP_ADDR: 'https://consul:8501', CONSUL_HTTP_TOKEN_FILE: '/run/a\'s token', CONSUL_HTTP_TOKEN: 'hunter2', CONSUL_CACERT: '/run/ca.pem' }))
      .to.include(`printf 'X-Consul-Token: %s' "$(cat '/run/a'\\''s token')" | curl -X PUT -H @- --cacert '/run/ca.pem' https://consul:8501${path}`)
      .and.not.include('hunter2');
  });

  it('fail for a service that nobody serves, and say how to start it', async () => {
    const listener = await occupyPort();
    const others = MODULE_NAMES.filter((name) => name !== 'user').map((name) => instance(`${name}-1`, '127.0.0.1', listener.port));
    const supervisor: SupervisorStatus = { pid: 1, version: '1', topology: 'micro', startedAt: 0, consulUrl: '', jaegerUrl: '', processes: [] };
    const look = async (more: readonly InstanceHealth[], here: SupervisorStatus | undefined) =>
      registrations.run({ ...(await sceneHere()), supervisor: here, registry: { kind: 'seen', instances: [...others, ...more] } }, AbortSignal.timeout(5_000));
    const user = instance('user-1', '127.0.0.1', listener.port);
    const none = { level: 'fail', says: 'user has no instance, so every call to it fails' };
    expect(await look([], supervisor)).to.deep.equal([{ ...none, advice: 'start it: `npx mesh scale user 1`' }]);
    expect(await look([], undefined)).to.deep.equal([{ ...none, advice: 'start it: `npx mesh serve user`' }]);
    expect((await look([{ ...user, healthy: false }], supervisor)).map(({ says }) => says)).to.deep.equal(['no instance of user passes its check, so every call to it fails']);
    expect((await look([user], supervisor)).map(({ level }) => level)).to.deep.equal(['ok']);
    await listener.close();
  });

  it('say once what several services have in common', async () => {
    const listener = await occupyPort();
    const instances = MODULE_NAMES.map((name) => ({ ...instance(`${name}-1`, '127.0.0.1', listener.port), healthy: name !== 'user' && name !== 'order' }));
    const running = (name: 'user' | 'order'): ProcessStatus => ({ name, services: [name], instances: [`${name}-1`], startedAt: 0, state: 'ready', pid: 7 });
    const supervisor: SupervisorStatus = { pid: 1, version: '1', topology: 'micro', startedAt: 0, consulUrl: '', jaegerUrl: '', processes: [running('user'), running('order')] };
    const scene: Scene = { ...(await sceneHere()), supervisor, registry: { kind: 'seen', instances } };
    const found = [...(await registrations.run(scene, AbortSignal.timeout(5_000))), ...(await processes.run(scene, AbortSignal.timeout(5_000)))];
    await listener.close();
    expect(found.map(({ says }) => says)).to.deep.equal([
      'no instance of user, order passes its check, so every call to them fails',
      'user-1 (process 7), order-1 (process 7) do not pass their checks, so nobody calls them',
    ]);
  });

  it('name the process, and the log, of a Postgres on this machine that does not answer', async () => {
    const folder = await makeTestFolder();
    await writeFile(join(folder, 'postgres.log'), '');
    await writeFile(join(folder, '.s.PGSQL.5432.lock'), `42\n${join(folder, 'cluster')}\n`);
    const finding = await silentServer(['user', 'order'], `postgres://shop:hunter2@${encodeURIComponent(folder)}:5432/shop`);
    await rm(folder, { recursive: true });
    expect(finding).to.deep.equal({
      level: 'fail',
      says: `the Postgres on ${join(folder, 'cluster')} (process 42) does not answer, so that nothing of user, order can be read or written`,
      advice: `see ${join(folder, 'postgres.log')}; if it hangs: \`npx mesh down\`, \`npx mesh up\``,
    });
  });

  it('name the command that tries a process again that was given up, with as many as its service has', async () => {
    const running: ProcessStatus = { name: 'user', services: ['user'], instances: [], startedAt: 0, state: 'starting', pid: 1 };
    const given: ProcessStatus = { name: 'user-2', services: ['user'], instances: [], startedAt: 0, state: 'given-up', pid: undefined, reason: 'fell' };
    const supervisor: SupervisorStatus = { pid: 1, version: '1', topology: 'micro', startedAt: 0, consulUrl: '', jaegerUrl: '', processes: [running, given] };
    const [finding] = await processes.run({ ...(await sceneHere()), supervisor }, AbortSignal.timeout(5_000));
    expect(finding).to.deep.equal({ level: 'fail', says: 'user-2 is given up: fell', advice: 'mend it, then `npx mesh scale user 2` tries again' });
  });

  it('warn of a token of Consul beside certificates whose keys its agent makes', async () => {
    const address = { CONSUL_HTTP_ADDR: 'http://127.0.0.1:1' };
    const token = { CONSUL_HTTP_TOKEN: 'hunter2' };
    const look = async (given: Readonly<Record<string, string>>, ofShop = {}): Promise<readonly string[]> => {
      const scene: Scene = { ...(await sceneHere(given)), settings: await loadSettings({ ...ofShop, ...given }) };
      return (await settingsCheck.run(scene, AbortSignal.timeout(5_000))).flatMap((finding) => (finding.level === 'warn' ? [`${finding.says}; ${finding.advice}`] : []));
    };
    const gives = 'the private keys of certificates, and gives copies to whoever reaches its HTTP port; set MESH_CERTIFICATES=sign, and CONSUL_GRPC_ADDR to its gRPC port';
    expect(await look({ ...address, ...token })).to.deep.equal([`with MESH_CERTIFICATES=auto the Consul agent may make ${gives}`]);
    expect(await look({ ...address, CONSUL_HTTP_TOKEN_FILE: '/run/token', MESH_CERTIFICATES: 'agent' })).to.deep.equal([`with MESH_CERTIFICATES=agent the Consul agent makes ${gives}`]);
    expect(await look({ ...address, ...token, MESH_CERTIFICATES: 'sign' })).to.deep.equal([]);
    expect(await look({ ...address, MESH_CERTIFICATES: 'agent' }), 'no token').to.deep.equal([]);
    // What `mesh up` brought asks for none: that the token does nothing there is all there is to say.
    expect(await look(token, address)).to.have.length(1).and.satisfy(([says]: readonly string[]) => says?.startsWith('CONSUL_HTTP_TOKEN does nothing'));
  });

  it('refuse a Node that is too old', async () => {
    const [finding] = await versions('22.1.0').run(await sceneHere(), AbortSignal.timeout(1_000));
    expect(finding).to.include({ level: 'fail', says: 'Node 22.1.0 is too old' });
  });
});
