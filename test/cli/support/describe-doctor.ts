import { expect } from 'chai';

import { silentLog, systemClock } from '#kit';

import type { Scene } from '../../../cli/doctor/check.ts';
import { clocks } from '../../../cli/doctor/clocks.ts';
import { askEnvironment, tellToScale } from '../../../cli/local/control-socket.ts';
import { connectControlPlane } from '../../../cli/serving/control-plane.ts';
import { loadSettings, type Resolved } from '../../../cli/settings.ts';
import { runSql } from '../../database/postgres-fixture.ts';
import { CHECKS, diagnose } from './diagnose.ts';
import { eventually } from './eventually.ts';
import { meshHere } from './in-process.ts';
import { startMesh } from './mesh-command.ts';
import { occupyPort } from './occupied-port.ts';
import { ps } from './shop-commands.ts';
import type { Environment, ShopFolder } from './shop-folder.ts';

/** What `mesh doctor` finds beside a shop that runs with one process for each service, `MESH_PORT_INVENTORY` set. It leaves the shop well. */
export function describeDoctor(folder: () => ShopFolder): void {
  describe('mesh doctor', () => {
    let settings: Resolved;
    let port: number;
    before(async () => {
      settings = await loadSettings(await askEnvironment(folder().controlSocket));
      port = Number(folder().environment['MESH_PORT_INVENTORY']);
      // An instance serves a moment before its first check has passed.
      await eventually('every instance passes its check', async () => (await ps(folder().environment)).every(({ healthy }) => healthy));
    });
    const troubles = (other: Environment = {}): Promise<readonly string[]> => diagnose({ ...folder().environment, ...other });
    afterEach('it is well again', () => eventually('the doctor finds nothing', async () => (await troubles()).length === 0));

    const scale = (inventory: number) => tellToScale(folder().controlSocket, { counts: { inventory }, allowNone: true }, AbortSignal.timeout(60_000));

    it('finds nothing wrong, in every check', async () => {
      const { exitCode, stdout } = await meshHere(['doctor'], folder().environment);
      expect(exitCode).to.equal(0);
      expect(stdout.split('\n').slice(0, CHECKS.length).map((line) => line.split(/ +/).slice(0, 2).join(' '))).to.deep.equal(CHECKS.map((check) => `OK ${check}`));
    });

    it('finds who took a stopped service\'s port, and the process that cannot start for it', async () => {
      await scale(0);
      const foreign = await occupyPort(port);
      expect((await troubles()).map((line) => line.split(';')[0])).to.deep.equal([
        `fail ports: port ${port} on 127.0.0.1 is taken by somebody else, so inventory cannot start`,
        'fail registrations: inventory has no instance, so every call to it fails',
      ]);
      const starting = scale(1);
      await eventually('the doctor sees that it waits for its next start', async () =>
        (await troubles()).some((line) => line.startsWith(`warn processes: inventory does not run (could not start: port ${port} on 127.0.0.1 is taken`)),
      );
      await foreign.close();
      await starting;
    });

    async function forget(id = ''): Promise<void> {
      const controlPlane = await connectControlPlane(settings, silentLog);
      await controlPlane.forget(id);
      await controlPlane.stop();
    }

    it('finds the registration that a killed process has left', async () => {
      const second = startMesh(['serve', 'inventory'], folder(), folder().root);
      await second.untilPrinted(/^registered with /m);
      const instance = (await ps(folder().environment)).find(({ service, ...other }) => service === 'inventory' && other.port !== port);
      second.kill('SIGKILL');
      await second.finished;
      const found = await troubles();
      await forget(instance?.id);
      expect(found).to.have.length(1);
      // A warning, once its check has failed.
      expect(found[0]).to.match(/^(fail|warn) registrations: /).and.include(`${instance?.id} is registered at 127.0.0.1:${instance?.mtlsPort}, where nobody listens`).and.include('/v1/agent/service/deregister/');
    });

    it('finds an instance of another version', async () => {
      const listener = await occupyPort();
      const controlPlane = await connectControlPlane(settings, silentLog);
      const old = { service: 'order', id: 'order-of-old', address: '127.0.0.1', port: listener.port, version: '0.0.9', zone: '', metadata: {}, healthService: '' };
      await controlPlane.register(old);
      const found = await troubles();
      await controlPlane.stop();
      await listener.close();
      expect(found).to.have.length(1);
      expect(found[0]).to.match(/^warn versions: order-of-old: of version 0\.0\.9, this program is \d/);
    });

    it('finds a process whose instance is not registered', async () => {
      const payment = (await ps(folder().environment)).find(({ service }) => service === 'payment');
      // It registers again within five seconds.
      await eventually('the doctor comes before that', async () => {
        await forget(payment?.id);
        return (await troubles()).some((line) => line.startsWith(`fail processes: payment (process ${payment?.pid}) serves as ${payment?.id}, which is not registered`));
      });
    });

    it('finds tables that are older than the code, and newer ones', async () => {
      const table = '"user".migration_user';
      const url = settings.ownerUrls.user;
      await runSql(url, `ALTER TABLE ${table} RENAME TO hidden`);
      const older = await troubles();
      await runSql(url, `ALTER TABLE "user".hidden RENAME TO migration_user; INSERT INTO ${table} (version, name) VALUES (999, 'of tomorrow')`);
      const newer = await troubles();
      await runSql(url, `DELETE FROM ${table} WHERE version = 999`);
      expect(older).to.have.length(1);
      expect(older[0]).to.match(/^fail schema: schema "user" lacks migrations of .*run `mesh migrate`/);
      expect(newer).to.have.length(1);
      expect(newer[0]).to.match(/^fail schema: schema "user" has user tables of version 999, and this program knows \d/);
    });

    it('finds that the topology that is set is not the one that runs', async () => {
      expect(await troubles({ MESH_TOPOLOGY: 'monolith' })).to.deep.equal([
        'warn settings: MESH_TOPOLOGY is monolith, but the shop that runs is micro; it is read at the start: `npx mesh down`, `npx mesh up`',
      ]);
    });

    it('finds a DATABASE_URL that no service is left for', async () => {
      const ofServices = Object.entries(settings.databaseUrls).map(([name, url]) => [`DATABASE_URL_${name.toUpperCase()}`, url]);
      const own = { ...Object.fromEntries(ofServices), MESH_EVENTS_URL: settings.values.MESH_EVENTS_URL };
      expect(await troubles({ ...own, DATABASE_URL: 'postgres://127.0.0.1:1/shop' })).to.deep.equal([
        'warn settings: DATABASE_URL does nothing: every service has one of its own; unset it, or one of DATABASE_URL_<SERVICE>',
      ]);
    });

    it('finds a clock that is wrong, by asking Postgres and Consul', async () => {
      const clock = { ...systemClock, now: () => systemClock.now() + 3_600_000 };
      const scene: Scene = { given: settings, settings, supervisor: undefined, registry: { kind: 'seen', instances: [] }, clock };
      const found = await clocks.run(scene, AbortSignal.timeout(10_000));
      expect(found.map(({ level }) => level)).to.deep.equal(['warn', 'warn']);
      expect(found[0]?.says).to.match(/^this machine's clock is (359\d\.\d|3600\.0) s ahead of that of Postgres$/);
      // Certain is only what is left without the time of the asking, and Consul tells whole seconds.
      expect(found[1]?.says).to.match(/^this machine's clock is (359\d\.\d|3600\.0) s ahead of that of Consul$/);
    });
  });
}
