import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { expect } from 'chai';

import { type Finished, mesh } from './support/mesh-command.ts';
import { type Environment, inherited, makeShopFolder, type ShopFolder } from './support/shop-folder.ts';

interface Shown {
  readonly name: string;
  readonly value: string;
  readonly origin: string;
  readonly doc: string;
}

describe('settings', function () {
  this.timeout(20_000);
  this.slow(2_000);

  let folder: ShopFolder;
  let folders = 0;
  before(async () => {
    folder = await makeShopFolder();
  });
  after(() => folder?.remove());

  /** Runs `mesh config` in a folder of its own, with this `mesh.config.ts`. */
  async function config(environment: Environment, { file, args = [] }: { file?: string; args?: readonly string[] } = {}): Promise<Finished> {
    folders += 1;
    const cwd = join(folder.root, `project-${folders}`);
    await mkdir(cwd);
    await writeFile(join(cwd, 'package.json'), '{ "type": "module" }');
    if (file !== undefined) await writeFile(join(cwd, 'mesh.config.ts'), file);
    return mesh(['config', ...args], { environment: { ...inherited(), ...environment }, cwd });
  }

  async function shown(environment: Environment, file?: string): Promise<ReadonlyMap<string, Shown>> {
    const { exitCode, stdout, stderr } = await config(environment, { args: ['--json'], ...(file !== undefined && { file }) });
    expect({ exitCode, stderr }).to.deep.equal({ exitCode: 0, stderr: '' });
    return new Map((JSON.parse(stdout) as Shown[]).map((setting) => [setting.name, setting]));
  }

  it('come from flags, then the environment, then mesh.config.ts, then their defaults', async () => {
    const file = 'export default { MESH_ZONE: "b", MESH_PORT_ORDER: 6056, MESH_MIGRATE: false, MESH_LOG_LEVEL: "error" } satisfies Record<string, unknown>;';
    const settings = await shown({ MESH_LOG_LEVEL: 'debug', CONSUL_HTTP_ADDR: 'consul.example:8500' }, file);
    expect(settings.get('MESH_LOG_LEVEL')).to.include({ value: 'debug', origin: 'environment' });
    expect(settings.get('CONSUL_HTTP_ADDR')).to.include({ value: 'consul.example:8500', origin: 'environment' });
    expect(settings.get('MESH_ZONE')).to.include({ value: 'b', origin: 'mesh.config.ts' });
    expect(settings.get('MESH_PORT_ORDER')).to.include({ value: '6056', origin: 'mesh.config.ts' });
    expect(settings.get('MESH_MIGRATE')).to.include({ value: 'false', origin: 'mesh.config.ts' });
    expect(settings.get('MESH_PORT_USER')).to.include({ value: '50051', origin: 'default' });
    expect([...settings.values()].every(({ doc }) => doc.length > 10)).to.equal(true);
  });

  it('are shown to people as a table, with their meaning', async () => {
    const { exitCode, stdout } = await config({ MESH_ZONE: 'b' });
    expect(exitCode).to.equal(0);
    const [head, ...rows] = stdout.trim().split('\n');
    expect(head).to.match(/^SETTING +VALUE +ORIGIN +MEANING$/);
    expect(rows.some((row) => /^MESH_ZONE +b +environment +\S.*/.test(row))).to.equal(true);
  });

  it('do not show their secrets', async () => {
    const secrets = {
      DATABASE_URL: 'postgres://shop:hunter2@db.example:5432/shop?password=hunter2',
      DATABASE_URL_ORDER: 'hunter2',
      STRIPE_API_KEY: 'sk_live_hunter2',
      CONSUL_HTTP_TOKEN: 'hunter2',
      OTEL_EXPORTER_OTLP_ENDPOINT: 'http://user:hunter2@otel.example:4318',
    };
    const settings = await shown(secrets);
    expect(settings.get('DATABASE_URL')).to.include({ value: 'postgres://********@db.example:5432/shop', origin: 'environment' });
    for (const name of ['DATABASE_URL_ORDER', 'STRIPE_API_KEY', 'CONSUL_HTTP_TOKEN']) expect(settings.get(name)).to.include({ value: '********' });
    expect(settings.get('DATABASE_URL_USER')).to.include({ value: '' });
    expect(settings.get('OTEL_EXPORTER_OTLP_ENDPOINT')).to.include({ value: 'http://********@otel.example:4318' });
    expect((await config(secrets)).stdout).not.to.include('hunter2');
  });

  const refused: readonly { readonly what: string; readonly environment?: Environment; readonly file?: string; readonly says: string }[] = [
    { what: 'a name that is almost one', environment: { MESH_PORT_ORDR: '1' }, says: 'MESH_PORT_ORDR is not a setting of shopmesh; did you mean MESH_PORT_ORDER?' },
    { what: 'a name that is like none', environment: { MESH_WARP_SPEED: '9' }, says: 'MESH_WARP_SPEED is not a setting of shopmesh' },
    { what: 'the database of a service that is almost one', environment: { DATABASE_URL_INVENTROY: 'postgres://x/y' }, says: 'did you mean DATABASE_URL_INVENTORY?' },
    { what: 'an unknown name in mesh.config.ts', file: 'export default { MESH_ZON: "b" }', says: 'MESH_ZON is not a setting of shopmesh; did you mean MESH_ZONE?' },
    { what: 'a port that is none', environment: { MESH_PORT_ORDER: '70000' }, says: 'MESH_PORT_ORDER (environment): "70000" is not a whole number from 0 to 65535' },
    { what: 'a word that is not in the list', environment: { MESH_TOPOLOGY: 'mini' }, says: 'MESH_TOPOLOGY (environment): "mini" is not one of micro, monolith' },
    { what: 'a time without sense', environment: { MESH_STOP_TIMEOUT: 'soon' }, says: 'MESH_STOP_TIMEOUT (environment): "soon" is not a time span' },
    { what: 'neither true nor false', file: 'export default { MESH_MIGRATE: "maybe" }', says: 'MESH_MIGRATE (mesh.config.ts): "maybe" is neither true nor false' },
    { what: 'a value that is no value', file: 'export default { MESH_ZONE: { name: "b" } }', says: 'MESH_ZONE (mesh.config.ts) is neither text, a number, true nor false' },
    { what: 'a mesh.config.ts that exports nothing', file: 'export const zone = "b"', says: 'must have a default export: an object of settings' },
    { what: 'a mesh.config.ts with a mistake in it', file: 'export default { MESH_ZONE: ', says: 'mesh.config.ts cannot be loaded: ' },
  ];
  for (const { what, environment = {}, file, says } of refused) {
    it(`are refused, by name: ${what}`, async () => {
      const { exitCode, stdout, stderr } = await config(environment, { ...(file !== undefined && { file }) });
      expect({ exitCode, stdout }).to.deep.equal({ exitCode: 1, stdout: '' });
      expect(stderr).to.match(/^error: /).and.include(says).and.include('INVALID_SETTING').and.not.match(/^ +at /m);
    });
  }

  it('name every bad one at once, and tell programs in JSON', async () => {
    const { exitCode, stderr } = await config({ MESH_PORT_ORDER: 'x', MESH_TRACE_PERCENT: '101' }, { args: ['--json'] });
    expect(exitCode).to.equal(1);
    const { error } = JSON.parse(stderr) as { error: { reason: string; message: string } };
    expect(error.reason).to.equal('INVALID_SETTING');
    expect(error.message).to.include('MESH_PORT_ORDER').and.include('MESH_TRACE_PERCENT');
  });

  it('leave alone what is somebody else\'s', async () => {
    const settings = await shown({ DATABASE_URL_OF_MY_BLOG: 'x', CONSUL_CACERT: '/x', OTEL_SERVICE_NAME: 'x', MESH_BACKENDS_DIR: '/x' });
    expect(settings.has('DATABASE_URL_OF_MY_BLOG')).to.equal(false);
  });
});
