import { createServer } from 'node:net';
import { join } from 'node:path';

import { expect } from 'chai';

import { silentLog, systemClock } from '#kit';

import type { Scene } from '../../cli/doctor/check.ts';
import { clocks } from '../../cli/doctor/clocks.ts';
import { askEnvironment, tellToScale } from '../../cli/local/control-socket.ts';
import { forgetInstance } from '../../cli/local/forget-instance.ts';
import { connectControlPlane } from '../../cli/serving/control-plane.ts';
import { loadSettings, type Resolved } from '../../cli/settings.ts';
import { freePort } from '../backends/free-port.ts';
import { runSql } from '../database/postgres-fixture.ts';
import { CHECKS, diagnose } from './support/diagnose.ts';
import { eventually } from './support/eventually.ts';
import { meshHere } from './support/in-process.ts';
import { mesh, startMesh } from './support/mesh-command.ts';
import { occupyPort } from './support/occupied-port.ts';
import { ps } from './support/shop-commands.ts';
import { type Environment, makeShopFolder, type ShopFolder } from './support/shop-folder.ts';

describe('mesh doctor', function () {
  this.timeout(60_000);
  this.slow(5_000);

  let folder: ShopFolder;
  let port: number;
  before(async () => {
    port = await freePort();
    folder = await makeShopFolder({ MESH_PORT_INVENTORY: String(port) });
  });
  after(() => folder?.remove());

  const troubles = (settings: Environment = {}): Promise<readonly string[]> => diagnose({ ...folder.environment, ...settings });

  it('explains what it looks at', async () => {
    const { exitCode, stdout } = await meshHere(['doctor', '--help'], folder.environment);
    expect(exitCode).to.equal(0);
    for (const check of CHECKS) expect(stdout).to.match(new RegExp(`^ {2}${check} +\\S`, 'm'));
  });

  describe('where no shop runs', () => {
    it('says so, and how to start one, and looks at what there is', async () => {
      const { exitCode, stdout } = await meshHere(['doctor'], folder.environment);
      expect(exitCode).to.equal(0);
      expect(stdout).to.match(/^OK +ports +\S/m).and.match(/^SKIP +registrations +no shop runs here; start one with `npm start` or `npx mesh up`$/m).and.match(/^SKIP +schema +\S/m);
      expect(stdout).to.match(/\n\nno shop runs here; start one with `npm start` or `npx mesh up`; what .* is well\n$/).and.not.include('all is well');
      expect(await troubles()).to.deep.equal([]);
    });

    it('finds a port that somebody else has, and names the setting that moves the service', async () => {
      const foreign = await occupyPort(port);
      const [trouble, ...others] = await troubles();
      await foreign.close();
      expect(others).to.deep.equal([]);
      expect(trouble).to.match(new RegExp(`^fail ports: port ${port} on 127\\.0\\.0\\.1 is taken by somebody else, so inventory cannot start; .*MESH_PORT_INVENTORY`));
    });

    it('finds two services on one port', async () => {
      expect(await troubles({ MESH_PORT_USER: String(port) })).to.deep.equal([
        `fail ports: user and inventory are both to listen on port ${port}; change MESH_PORT_USER or MESH_PORT_INVENTORY`,
      ]);
    });

    const idle: readonly { readonly given: Environment; readonly says: string }[] = [
      { given: { MESH_STRIPE_URL: 'http://127.0.0.1:1' }, says: 'MESH_STRIPE_URL does nothing: without STRIPE_API_KEY, `mesh up` brings the card simulator' },
      { given: { CONSUL_HTTP_TOKEN: 'hunter2' }, says: 'CONSUL_HTTP_TOKEN does nothing: without CONSUL_HTTP_ADDR' },
      { given: { OTEL_EXPORTER_JAEGER_ENDPOINT: 'http://127.0.0.1:1' }, says: 'OTEL_EXPORTER_JAEGER_ENDPOINT does nothing: OTEL_TRACES_EXPORTER is otlp' },
      { given: { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:1', OTEL_TRACES_EXPORTER: 'jaeger' }, says: 'OTEL_EXPORTER_OTLP_ENDPOINT does nothing' },
      { given: { MESH_TRACE_PERCENT: '10', OTEL_TRACES_EXPORTER: 'none' }, says: 'MESH_TRACE_PERCENT does nothing: OTEL_TRACES_EXPORTER is none' },
      { given: { MESH_EVENTS_URL: 'postgres://shop:hunter2@127.0.0.1:1/events', KAFKA_BROKERS: '127.0.0.1:1' }, says: 'MESH_EVENTS_URL does nothing: KAFKA_BROKERS is set' },
      { given: { MESH_LOCAL_CALLS: 'fidelity' }, says: 'MESH_LOCAL_CALLS does nothing: no two services share a process' },
    ];
    for (const { given, says } of idle) {
      it(`finds that ${Object.keys(given).join(' with ')} has no effect`, async () => {
        const found = await troubles(given);
        expect(found).to.have.length(1);
        expect(found[0]).to.include(`warn settings: ${says}`).and.not.include('hunter2');
      });
    }

    it('does not wait for servers that take connections and never answer', async () => {
      const silent = createServer();
      await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
      const address = silent.address();
      const hung = `127.0.0.1:${typeof address === 'object' && address ? address.port : 0}`;
      const began = performance.now();
      const found = await troubles({ CONSUL_HTTP_ADDR: `http://${hung}`, DATABASE_URL: `postgres://shop:hunter2@${hung}/shop`, DATABASE_URL_USER: `postgres://shop:hunter2@${hung}/other` });
      silent.close();
      expect(performance.now() - began).to.be.lessThan(20_000);
      expect(found.map((line) => line.split(':')[0]), 'once for a server').to.deep.equal(['fail registrations', 'fail schema']);
      expect(found.join('\n')).to.include('CONSUL_HTTP_ADDR').and.include('DATABASE_URL').and.not.include('hunter2');
    });
  });

  describe('beside a shop that runs', () => {
    let settings: Resolved;
    before(async () => {
      await folder.layCluster();
      const started = await mesh(['up', '--detach'], folder);
      expect(started).to.include({ exitCode: 0 });
      expect(started.stdout, 'where to read what it says').to.include(join(folder.dataDir, 'logs', 'up.log'));
      settings = await loadSettings(await askEnvironment(folder.controlSocket));
      // An instance serves a moment before its first check has passed.
      await eventually('every instance passes its check', async () => (await ps(folder.environment)).every(({ healthy }) => healthy));
    });
    after(async () => {
      await meshHere(['down'], folder.environment);
      expect(await folder.leftOvers()).to.deep.equal([]);
    });
    afterEach('it is well again', () => eventually('the doctor finds nothing', async () => (await troubles()).length === 0));

    const scale = (inventory: number) => tellToScale(folder.controlSocket, { counts: { inventory }, allowNone: true }, AbortSignal.timeout(60_000));

    it('finds nothing wrong, in every check', async () => {
      const { exitCode, stdout } = await meshHere(['doctor'], folder.environment);
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

    it('finds the registration that a killed process has left', async () => {
      const second = startMesh(['serve', 'inventory'], folder, folder.root);
      await second.untilPrinted(/^registered with /m);
      const instance = (await ps(folder.environment)).find(({ service, ...other }) => service === 'inventory' && other.port !== port);
      second.kill('SIGKILL');
      await second.finished;
      const found = await troubles();
      await forgetInstance(instance?.id ?? '', settings);
      expect(found).to.have.length(1);
      // A warning, once its check has failed.
      expect(found[0]).to.match(/^(fail|warn) registrations: /).and.include(`${instance?.id} is registered at 127.0.0.1:${instance?.port}, where nobody listens`).and.include('/v1/agent/service/deregister/');
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
      const payment = (await ps(folder.environment)).find(({ service }) => service === 'payment');
      // It registers again within five seconds.
      await eventually('the doctor comes before that', async () => {
        await forgetInstance(payment?.id ?? '', settings);
        return (await troubles()).some((line) => line.startsWith(`fail processes: payment (process ${payment?.pid}) serves as ${payment?.id}, which is not registered`));
      });
    });

    it('finds tables that are older than the code, and newer ones', async () => {
      const table = '"user".migration_user';
      const url = settings.databaseUrls.user;
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
});
