import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { expect } from 'chai';

import { freePort } from '../backends/free-port.ts';
import { meshHere } from './support/in-process.ts';
import { type Finished, mesh } from './support/mesh-command.ts';
import { makeShopFolder, type ShopFolder } from './support/shop-folder.ts';

const ROOT = join(import.meta.dirname, '..', '..');

describe('the mesh command', function () {
  this.timeout(20_000);

  let folder: ShopFolder;
  before(async () => {
    folder = await makeShopFolder();
  });
  after(() => folder?.remove());
  const here = (...args: string[]): Promise<Finished> => meshHere(args, folder.environment);

  it('lists its commands', async () => {
    const { exitCode, stdout } = await here('--help');
    expect(exitCode).to.equal(0);
    for (const command of ['up', 'down', 'ps', 'serve', 'migrate', 'call', 'token', 'config', 'scale', 'trace', 'logs', 'saga', 'events', 'doctor', 'new']) expect(stdout).to.match(new RegExp(`^ {2}${command}\\b.* {2}\\S`, 'm'));
    expect(stdout).to.include('--json').and.not.include('--supervised');
  });

  it('tells its version', async () => {
    const { version } = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8')) as { version: string };
    expect(await here('--version')).to.include({ exitCode: 0, stdout: `${version}\n` });
  });

  const helped: Readonly<Record<string, readonly string[]>> = {
    up: ['--topology <name>', '--detach', '--demo', 'mesh up --topology monolith'],
    down: ['stop the shop'],
    ps: ['every registered instance'],
    serve: ['--port <number>', 'mesh serve inventory'],
    migrate: ['tables of every service'],
    call: ['--header <key:value>', '--deadline <time>', '--as <name>', '@file', 'mesh call --as demo order.ListOrders'],
    token: ['--as <name>', 'mesh token --as demo', '-expand-headers'],
    config: ['where that comes from'],
    scale: ['--allow-none', 'mesh scale inventory 3'],
    trace: ['--last', '--order <id>', 'mesh trace'],
    logs: ['--trace <id>', '--follow', '--level', '--since'],
    saga: ['list', 'show', 'retry', 'resolve', 'skip', 'mesh saga list --state stuck'],
    events: ['list', 'lag', 'dead', 'replay', 'discard', 'mesh events list --subject'],
    doctor: ['books'],
    intentions: ['list', 'allow', 'deny', 'delete', 'mesh intentions deny order payment.Refund'],
    why: ['--path <path>', '--check', 'mesh why order payment.Charge'],
    new: ['service'],
  };
  for (const [command, parts] of Object.entries(helped)) {
    it(`explains ${command}`, async () => {
      const { exitCode, stdout } = await here(command, '--help');
      expect(exitCode).to.equal(0);
      for (const part of parts) expect(stdout).to.include(part);
      expect(stdout).to.include('--json').and.not.include('--supervised');
    });
  }

  const misuses: readonly { readonly args: readonly string[]; readonly says: string }[] = [
    { args: ['upp'], says: 'unknown command \'upp\'' },
    { args: ['up', '--detatch'], says: 'Did you mean --detach?' },
    { args: ['up', '--topology', 'mini'], says: 'Allowed choices are micro, monolith.' },
    { args: ['call'], says: 'missing required argument \'method\'' },
    { args: ['serve'], says: 'missing required argument \'service\'' },
    { args: ['serve', 'order', '--port', '70000'], says: 'A port is a number from 0 to 65535.' },
    { args: ['down', 'now'], says: 'too many arguments' },
  ];
  for (const { args, says } of misuses) {
    it(`answers \`mesh ${args.join(' ')}\` with exit code 2 and what is wrong`, async () => {
      const people = await here(...args);
      expect({ exitCode: people.exitCode, stdout: people.stdout }).to.deep.equal({ exitCode: 2, stdout: '' });
      expect(people.stderr).to.include(says);

      const programs = await here(...args, '--json');
      expect(programs.exitCode).to.equal(2);
      const { error } = JSON.parse(programs.stderr) as { error: { code: string; message: string } };
      expect(error.code).to.equal('INVALID_ARGUMENT');
      expect(error.message).to.include(says.replace(/^Did you mean .*/, 'unknown option'));
    });
  }

  describe('where no shop runs', () => {
    for (const args of [['ps'], ['call', 'order.ListOrders', '{}'], ['serve', 'order']]) {
      it(`\`mesh ${args.join(' ')}\` says whom it asked, and what to do`, async () => {
        const address = `http://127.0.0.1:${await freePort()}`;
        const { exitCode, stderr } = await mesh(args, { environment: { ...folder.environment, CONSUL_HTTP_ADDR: address } });
        expect(exitCode).to.equal(1);
        expect(stderr).to.include(`nobody answers for Consul at ${address}`).and.include('`npm start`').and.include('(UNAVAILABLE, CONTROL_PLANE_UNAVAILABLE)');
      });
    }

    for (const args of [['ps'], ['call', 'order.ListOrders', '{}'], ['serve', 'order'], ['saga', 'list'], ['saga', 'retry', 'x', '--why', 'y'], ['trace', '--last'], ['trace', 'abc']]) {
      it(`\`mesh ${args.join(' ')}\` asks nobody else's, and says what to do`, async () => {
        const { exitCode, stdout, stderr } = await mesh(args, folder);
        expect({ exitCode, stdout }).to.deep.equal({ exitCode: 1, stdout: '' });
        expect(stderr).to.match(/^error: no shop runs in this folder: start one with `npm start` or `npx mesh up`, or set CONSUL_HTTP_ADDR( or MESH_JAEGER_URL)? to use another one \(FAILED_PRECONDITION, NOT_RUNNING\)$/m);
      });
    }

    it('`mesh migrate` says that there is no database, and which settings name one', async () => {
      const { exitCode, stderr } = await here('migrate');
      expect(exitCode).to.equal(1);
      expect(stderr).to.include('user has no database: set DATABASE_URL, or DATABASE_URL_USER').and.include('INVALID_SETTING');
    });
  });

  it('is what npx runs', async () => {
    const { stdout } = await promisify(execFile)(join(ROOT, 'cli', 'mesh.js'), ['--version'], { env: folder.environment });
    expect(stdout).to.match(/^\d+\.\d+\.\d+\n$/);
  });
});
