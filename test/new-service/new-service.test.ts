import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { expect } from 'chai';

import { MODULE_NAMES } from '#modules';

import { type Guard, guardProcess } from '../backends/guard.ts';
import { lastLine } from '../checks/support/last-line.ts';
import type { NodeRun } from '../checks/support/run-node.ts';
import { layCluster } from '../database/lay-cluster.ts';
import { copyRepository, type RepositoryCopy } from './repository-copy.ts';

/** Tests of what lists every service, or looks at every contract. */
const TESTS_OF_LISTS = ['test/docs/errors.test.ts', 'test/mesh/contracts.test.ts', 'test/deploy/compose.test.ts', 'test/deploy/dockerfile.test.ts'];

const SERVICES = [...MODULE_NAMES, 'review'];

describe('mesh new service review', function () {
  this.timeout(180_000);
  this.slow(60_000);

  let copy: RepositoryCopy;
  before(async () => {
    copy = await copyRepository();
  });
  after(() => copy?.remove());

  const mesh = (...args: string[]): Promise<NodeRun> => copy.run('cli/mesh.js', args);

  describe('before it has written', () => {
    let untouched: ReadonlyMap<string, string>;
    before(async () => {
      untouched = await copy.state();
    });
    afterEach('nothing was written', async () => {
      expect(await copy.state()).to.deep.equal(untouched);
    });

    it('explains itself', async () => {
      const { code, stdout } = await mesh('new', 'service', '--help');
      expect(code).to.equal(0);
      for (const part of ['--plural <word>', '--dry-run', '--json', 'mesh new service person --plural people']) expect(stdout).to.include(part);
    });

    it('shows with --dry-run what it would write', async () => {
      const { code, stdout } = await mesh('new', 'service', 'review', '--dry-run');
      expect(code).to.equal(0);
      expect(stdout).to.match(/^would write the service review, on port \d+, with the table reviews:\n {2}proto\/shop\/review\/v1\/review\.proto +the contract\n/);
      expect(stdout).to.match(/\n {2}services\/modules\.ts +its port and its code\n/).and.match(/\nNothing was written\.\n$/);
    });

    it('refuses to write where people do not look for it', async () => {
      const { code, stderr } = await copy.run('cli/mesh.js', ['new', 'service', 'review'], { cwd: copy.folder });
      expect(code).to.equal(1);
      expect(stderr).to.include('a new service becomes part of the checkout of shopmesh').and.include(`run the command within ${copy.root}`);
    });

    it('refuses a name that cannot be one', async () => {
      const { code, stderr } = await mesh('new', 'service', 'gift-card', '--json');
      expect(code).to.equal(1);
      expect(JSON.parse(stderr)).to.have.nested.property('error.message').that.matches(/^"gift-card" cannot name a service: .*, such as giftcard/);
    });

    describe('and when its contract cannot be compiled', () => {
      const options = 'proto/mesh/v1/options.proto';
      let intact: string;
      before(async () => {
        intact = await readFile(join(copy.root, options), 'utf8');
        await writeFile(join(copy.root, options), `${intact}message {\n`);
        untouched = await copy.state();
      });
      after(() => writeFile(join(copy.root, options), intact));

      it('tells what buf says', async () => {
        const { code, stderr } = await mesh('new', 'service', 'review');
        expect(code).to.equal(1);
        expect(stderr).to.match(/^error: buf generate failed, so nothing was written: .*options\.proto:\d+:/);
      });
    });
  });

  describe('once it has written', () => {
    let written: NodeRun;
    before(async () => {
      written = await mesh('new', 'service', 'review');
    });

    it('says what, and how to go on', () => {
      expect(written).to.include({ code: 0, stderr: '' });
      for (const [, path = ''] of written.stdout.matchAll(/^ {2}((?:proto|services|test|kit|docs|deploy)\/\S+) {2}/gm)) expect(existsSync(join(copy.root, path)), path).to.equal(true);
      expect(written.stdout).to.include('npm run check && npm test -- test/review').and.include('npx mesh call review.CreateReview');
    });

    it('passes every check', async () => {
      const { code, stdout } = await copy.run('scripts/test/main.ts', ['--only', 'checks']);
      expect(code, stdout).to.equal(0);
      expect(lastLine(stdout)).to.match(/^\d+ passed, 0 failed, 0 skipped$/);
    });

    it('passes its own test, and those of every list it is in', async () => {
      const { code, stdout } = await copy.run('scripts/test/main.ts', ['test/review', ...TESTS_OF_LISTS]);
      expect(code, stdout).to.equal(0);
      expect(stdout).to.include('creates a review once').and.include('shop.review.v1.ReviewService/CreateReview');
    });

    it('is there already, when it is to be written again', async () => {
      const { code, stderr } = await mesh('new', 'service', 'review');
      expect(code).to.equal(1);
      expect(stderr).to.include('there is such a service (services/review)');
    });

    describe('and the shop is up', () => {
      let guard: Guard | undefined;
      const inShop = (...args: string[]): Promise<NodeRun> => {
        const ports = Object.fromEntries(SERVICES.map((name) => [`MESH_PORT_${name.toUpperCase()}`, '0']));
        return copy.run('cli/mesh.js', args, { env: { ...ports, MESH_DATA_DIR: join(copy.folder, 'data'), MESH_LOG_LEVEL: 'warn' } });
      };
      before(async () => {
        await layCluster(join(copy.folder, 'data', 'postgres'));
        // Seven processes more would show nothing of the new service.
        const { code, stdout, stderr } = await inShop('up', '--detach', '--topology', 'monolith', '--json');
        expect(code, stderr).to.equal(0);
        const { pid } = JSON.parse(stdout) as { pid: number };
        guard = guardProcess(pid, copy.folder);
      });
      after(async () => {
        await inShop('down');
        await guard?.release();
      });

      it('is listed among the services, healthy, in one process with them and in one of its own', async () => {
        expect((await inShop('scale', 'review', '2')).code).to.equal(0);
        const instances = JSON.parse((await inShop('ps', '--json')).stdout) as { service: string; healthy: boolean; pid: number }[];
        const ofReview = instances.filter(({ service }) => service === 'review');
        expect(instances.map(({ service }) => service)).to.have.members([...SERVICES, 'review']);
        expect(ofReview.map(({ healthy }) => healthy)).to.deep.equal([true, true]);
        expect(new Set(instances.map(({ pid }) => pid)).size).to.equal(2);
      });

      it('answers as the example says', async () => {
        const [, method = '', request = ''] = /npx mesh call (\S+) '(.*)'/.exec(written.stdout) ?? [];
        const { code, stdout, stderr } = await inShop('call', method, request, '--json');
        expect(code, stderr).to.equal(0);
        expect(JSON.parse(stdout)).to.have.property('review').that.includes({ reviewId: 'first', name: 'The first one' });
      });
    });
  });
});
