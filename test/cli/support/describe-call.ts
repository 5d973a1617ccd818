import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { expect } from 'chai';

import { AccountService } from '#proto/shop/user/v1/account_pb.js';
import { UserService } from '#proto/shop/user/v1/user_pb.js';

import { meshHere } from './in-process.ts';
import { type Finished, mesh, type RunningCommand, startMesh } from './mesh-command.ts';
import { REFUSALS } from './refused-calls.ts';
import { call, placeOrder } from './shop-commands.ts';
import type { ShopFolder } from './shop-folder.ts';

/** A refusal as programs read it. */
interface Refusal {
  readonly code: string;
  readonly reason: string;
  readonly message: string;
  readonly metadata: Readonly<Record<string, string>>;
  readonly violations: readonly { readonly field: string; readonly description: string }[];
}

/** What `mesh call` promises, against a shop that runs with the demo data. */
export function describeCall(folder: () => ShopFolder): void {
  const here = (...args: string[]): Promise<Finished> => meshHere(args, folder().environment);

  describe('mesh call', () => {
    it('takes short and full names, in any case, and answers in JSON', async () => {
      for (const method of ['user.GetUser', 'user.getuser', 'shop.user.v1.UserService/GetUser']) {
        const { exitCode, stdout, stderr } = await here('call', '--as', 'demo', method, '{"userId":"demo"}');
        expect({ exitCode, stderr }).to.deep.equal({ exitCode: 0, stderr: '' });
        expect(JSON.parse(stdout)).to.have.nested.property('user.email', 'demo@example.com');
        expect(stdout).to.include('\n  "user": {');
      }
    });

    it('answers programs with one document a line', async () => {
      const { stdout } = await here('call', '--as', 'demo', 'user.GetUser', '{"userId":"demo"}', '--json');
      expect(stdout.split('\n')).to.have.length(2);
    });

    it('takes field names as the contract writes them, too, and an empty request when there is none', async () => {
      expect(await call(folder().environment, 'user.GetUser', { user_id: 'demo' })).to.have.property('user');
      expect(JSON.parse((await here('call', 'product.ListProducts')).stdout)).to.have.property('products').with.length(3);
    });

    it('calls what every server has, such as its health', async () => {
      expect(await call(folder().environment, 'order.Check', { service: 'shop.order.v1.OrderService' })).to.deep.equal({ status: 'SERVING' });
    });

    it('lists a service\'s own methods, without those that every server has', async () => {
      const { stderr } = await here('call', 'user.Nothing');
      const [, listed = ''] = /there is no method Nothing; this server has (.*) \(/.exec(stderr) ?? [];
      expect(listed.split(', ')).to.have.members([UserService, AccountService].flatMap(({ methods }) => methods.map(({ name }) => name)));
      expect((await here('call', 'user.GetInstance')).exitCode, 'it can be called').to.equal(0);
    });

    it('reads the request from a file or from standard input', async () => {
      const file = join(folder().root, 'request.json');
      await writeFile(file, '{"userId":"demo"}');
      expect(JSON.parse((await here('call', '--as', 'demo', 'user.GetUser', `@${file}`)).stdout)).to.have.property('user');
      const { exitCode, stdout } = await mesh(['call', '--as', 'demo', 'user.GetUser', '-'], { ...folder(), input: '{"userId":"demo"}' });
      expect(exitCode).to.equal(0);
      expect(JSON.parse(stdout)).to.have.property('user');
    });

    it('sends headers, also binary ones', async () => {
      const headers = ['-H', 'traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01', '--header', 'x-token-bin:AAEC'];
      expect((await here('call', '--as', 'demo', 'user.GetUser', '{"userId":"demo"}', ...headers)).exitCode).to.equal(0);
    });

    it('prints a stream line by line, as it comes, until it ends', async () => {
      const { orderId } = await placeOrder(folder().environment);
      const { exitCode, stdout } = await here('call', '--as', 'demo', 'order.WatchOrder', JSON.stringify({ orderId }));
      expect(exitCode).to.equal(0);
      const changes = stdout.trim().split('\n').map((change) => JSON.parse(change) as { sequence: string; state: string });
      expect(changes.map(({ sequence, state }) => `${sequence} ${state}`)).to.deep.equal(['1 ORDER_STATE_PENDING', '2 ORDER_STATE_CONFIRMED']);
    });

    describe('of a stream that goes on', () => {
      let watching: RunningCommand;
      beforeEach(async () => {
        watching = startMesh(['call', 'user.Watch', '{}', '--deadline', '60s'], folder(), folder().root);
        await watching.untilPrinted('{"status":"SERVING"}');
      });

      it('ends at Ctrl-C, with the exit code that shells give it and without a word', async () => {
        watching.killGroup('SIGINT');
        const { exitCode, stderr } = await watching.finished;
        expect({ exitCode, stderr }).to.deep.equal({ exitCode: 130, stderr: '' });
      });
    });

    for (const { what, args, code, reason = code, says, field } of REFUSALS) {
      it(`refuses ${what}`, async () => {
        const people = await here('call', ...args());
        expect({ exitCode: people.exitCode, stdout: people.stdout }).to.deep.equal({ exitCode: 1, stdout: '' });
        expect(people.stderr).to.match(says).and.match(code === reason ? new RegExp(`\\(${code}\\)`) : new RegExp(`\\(${code}, ${reason}\\)`));
        expect(people.stderr).to.match(/^error: /).and.not.match(/^ +at /m);

        const error = refusalOf(await here('call', ...args(), '--json'));
        expect(error).to.include({ code, reason });
        expect(error.message).to.match(says);
        if (field !== undefined) expect(error.violations.map((violation) => violation.field)).to.include(field);
      });
    }

    for (const [megabytes, code] of [[5, 'RESOURCE_EXHAUSTED'], [17, 'RESOURCE_EXHAUSTED']] as const) {
      it(`refuses a request of ${megabytes} MB`, async () => {
        const file = join(folder().root, 'huge.json');
        await writeFile(file, JSON.stringify({ orderId: randomBytes(megabytes * 500_000).toString('hex') }));
        const error = refusalOf(await here('call', '--as', 'staff', 'order.GetOrder', `@${file}`, '--json'));
        expect(error.code).to.equal(code);
        expect(error.message).to.match(/\d+/);
        expect((await placeOrder(folder().environment)).state, 'the service goes on').to.equal('ORDER_STATE_CONFIRMED');
      });
    }

    it('gives programs every field of an error', async () => {
      const error = refusalOf(await here('call', '--as', 'demo', 'order.PlaceOrder', '{"userId":"demo"}', '--json'));
      expect(error).to.have.all.keys('code', 'reason', 'message', 'metadata', 'violations');
      expect(error.violations.map(({ field }) => field)).to.have.members(['request_id', 'lines', 'payment_method', 'shipping_address']);
    });
  });
}

function refusalOf({ exitCode, stdout, stderr }: Finished): Refusal {
  expect({ exitCode, stdout }).to.deep.equal({ exitCode: 1, stdout: '' });
  const { error } = JSON.parse(stderr) as { error: Refusal };
  return error;
}
