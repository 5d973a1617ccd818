import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

import { expect } from 'chai';

import { refusal } from '#kit';
import { OrderService } from '#proto/shop/order/v1/order_pb.js';

import { locateBackend, requireBackend } from '../backends/locate.ts';
import { useFleet } from './support/fleet.ts';

const ORDERS = 'shop.order.v1.OrderService';

describe('grpcurl', function () {
  this.timeout(30_000);
  const fleet = useFleet('remote');
  let grpcurl: string;
  let port: number;

  before(async function () {
    const found = process.env['CI'] === 'true' ? await requireBackend('grpcurl') : await locateBackend('grpcurl');
    if (found === undefined) return this.skip();
    grpcurl = found;
  });

  beforeEach(async () => {
    const listening = await fleet().host(OrderService, () => ({
      async getOrder({ orderId }) {
        if (orderId === 'o-1') return { order: { orderId, state: 2, total: { currencyCode: 'EUR', units: 199n } } };
        throw refusal('ORDER_NOT_FOUND', `there is no order ${orderId}`, { metadata: { order_id: orderId } });
      },
      async *watchOrder() {
        yield { sequence: 1n, state: 1 };
        yield { sequence: 2n, state: 2 };
      },
    }));
    port = listening.port;
  });

  /** What grpcurl prints; of a call that fails, what it says on standard error. */
  async function run(...args: readonly string[]): Promise<string> {
    const flags = args.filter((arg) => arg.startsWith('-'));
    const rest = args.filter((arg) => !arg.startsWith('-'));
    try {
      return (await promisify(execFile)(grpcurl, ['-plaintext', ...flags, `127.0.0.1:${port}`, ...rest])).stdout;
    } catch (error) {
      // execFile rejects with the output of a program that exited with another code than 0.
      return (error as { stderr: string }).stderr;
    }
  }

  const call = (method: string, request: object): Promise<string> => run(`-d=${JSON.stringify(request)}`, `${ORDERS}/${method}`);

  it('lists services and methods', async () => {
    expect((await run('list')).trim().split('\n')).to.include.members([ORDERS, 'grpc.health.v1.Health']);
    const methods = OrderService.methods.map(({ name }) => `${ORDERS}.${name}`);
    expect((await run('list', ORDERS)).trim().split('\n')).to.have.members(methods);
  });

  it('describes a service with its deadlines and a message with its rules', async () => {
    expect(await run('describe', ORDERS)).to.contain('rpc PlaceOrder').and.to.match(/deadline: *\{ *seconds: *15 *\}/);
    const message = await run('describe', 'shop.order.v1.PlaceOrderRequest');
    expect(message).to.contain('string request_id = 1').and.to.contain('^[a-zA-Z0-9_-]{1,64}$');
  });

  it('calls a method, and reads a stream', async () => {
    expect(JSON.parse(await call('GetOrder', { order_id: 'o-1' }))).to.deep.equal({
      order: { orderId: 'o-1', state: 'ORDER_STATE_CONFIRMED', total: { currencyCode: 'EUR', units: '199' } },
    });
    const states = [...(await call('WatchOrder', { order_id: 'o-1' })).matchAll(/ORDER_STATE_(\w+)/g)].map(([, state]) => state);
    expect(states).to.deep.equal(['PENDING', 'CONFIRMED']);
  });

  it('shows code, sentence and reason of an error', async () => {
    const said = await call('GetOrder', { order_id: 'o-2' });
    expect(said).to.contain('Code: NotFound').and.to.contain('there is no order o-2').and.to.contain('ORDER_NOT_FOUND');
    const refused = await call('GetOrder', { order_id: 'O 2' });
    expect(refused).to.contain('Code: InvalidArgument').and.to.match(/"field": *"order_id"/);
  });

  it('asks for health', async () => {
    expect(JSON.parse(await run(`-d={"service":"${ORDERS}"}`, 'grpc.health.v1.Health/Check'))).to.deep.equal({ status: 'SERVING' });
  });
});
