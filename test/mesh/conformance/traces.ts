import { context, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import type { ReadableSpan } from '@opentelemetry/sdk-trace';
import { expect } from 'chai';

import { refusal } from '#kit';
import { InventoryService } from '#proto/shop/inventory/v1/inventory_pb.js';
import { OrderService } from '#proto/shop/order/v1/order_pb.js';
import { UserService } from '#proto/shop/user/v1/user_pb.js';

import { until } from '../../discovery/support/until.ts';
import { type Transport, useFleet } from '../support/fleet.ts';
import { allOf, failureOf } from '../support/outcome.ts';
import { traceShape } from '../support/trace-shape.ts';

const GET_USER = 'shop.user.v1.UserService/GetUser';
const WATCH_ORDER = 'shop.order.v1.OrderService/WatchOrder';

/** One client and one server span for each call, in one tree, whichever way the call went. */
export function traces(transport: Transport): void {
  describe('the trace of a call', () => {
    const fleet = useFleet(transport);
    const spans = (): readonly ReadableSpan[] => fleet().telemetry.spans();

    /** The client's and the server's span of the only call there was. */
    async function pair(): Promise<{ client: ReadableSpan; server: ReadableSpan }> {
      await until('both spans have ended', () => spans().length === 2);
      const [client, server] = [SpanKind.CLIENT, SpanKind.SERVER].map((kind) => spans().find((span) => span.kind === kind));
      if (!client || !server) throw new Error('a call has a client and a server span');
      return { client, server };
    }

    it('is a client span and a server span below it, by the semantic conventions', async () => {
      await fleet().host(UserService, () => ({ getUser: async () => ({}) }));
      await fleet().client(UserService).getUser({ userId: 'demo' });
      const { client, server } = await pair();
      const shared = { 'rpc.system.name': 'grpc', 'rpc.method': GET_USER, 'rpc.response.status_code': 'OK' };
      expect(client).to.include({ name: GET_USER, kind: SpanKind.CLIENT, parentSpanContext: undefined });
      const LEFT = 'mesh.deadline.left_ms';
      expect(client.attributes).to.deep.equal({ ...shared, 'server.address': 'user', [LEFT]: 1_000 });
      expect(server).to.include({ name: GET_USER, kind: SpanKind.SERVER });
      expect(server.attributes).to.deep.equal({ ...shared, [LEFT]: server.attributes[LEFT] });
      expect(server.attributes[LEFT]).to.be.within(1, 1_000);
      const { traceId, spanId } = client.spanContext();
      expect(server.parentSpanContext).to.include({ traceId, spanId, isRemote: true });
      expect([client.status.code, server.status.code]).to.deep.equal([SpanStatusCode.UNSET, SpanStatusCode.UNSET]);
    });

    it('begins below the caller’s own span', async () => {
      await fleet().host(UserService, () => ({ getUser: async () => ({}) }));
      const own = fleet().telemetry.tracer('caller').startSpan('own');
      await context.with(trace.setSpan(context.active(), own), () => fleet().client(UserService).getUser({ userId: 'demo' }));
      const { client } = await pair();
      expect(client.parentSpanContext?.spanId).to.equal(own.spanContext().spanId);
    });

    it('has the same shape whether the services share a process or not', async () => {
      await fleet().host(UserService, () => ({ getUser: async ({ userId }) => ({ user: { userId } }) }));
      await fleet().host(InventoryService, (stubs) => ({
        async getStock() {
          await stubs(UserService).getUser({ userId: 'demo' });
          throw refusal('PRODUCT_NOT_FOUND', 'there is no such product');
        },
      }));
      await fleet().host(OrderService, (stubs) => ({
        async *watchOrder() {
          yield { sequence: 1n };
          await stubs(UserService).getUser({ userId: 'demo' });
          await failureOf(stubs(InventoryService).getStock({ productId: 'beans' }));
          yield { sequence: 2n };
        },
      }));
      await allOf(fleet().client(OrderService).watchOrder({ orderId: 'o-1' }));
      await until('all spans have ended', () => spans().length === 8);
      expect(traceShape(spans())).to.deep.equal([
        `caller CLIENT ${WATCH_ORDER} OK`,
        `  order SERVER ${WATCH_ORDER} OK`,
        `    order CLIENT ${GET_USER} OK`,
        `      user SERVER ${GET_USER} OK`,
        '    order CLIENT shop.inventory.v1.InventoryService/GetStock NOT_FOUND',
        '      inventory SERVER shop.inventory.v1.InventoryService/GetStock NOT_FOUND',
        `        inventory CLIENT ${GET_USER} OK`,
        `          user SERVER ${GET_USER} OK`,
      ]);
      expect(new Set(spans().map((span) => span.spanContext().traceId))).to.have.property('size', 1);
    });

    it('says that a refusal failed for the caller, and that it is no fault of the server', async () => {
      await fleet().host(UserService, () => ({ getUser: () => Promise.reject(refusal('USER_NOT_FOUND', 'there is no user demo')) }));
      await failureOf(fleet().client(UserService).getUser({ userId: 'demo' }));
      const { client, server } = await pair();
      const failure = { 'rpc.response.status_code': 'NOT_FOUND', 'error.type': 'NOT_FOUND', 'mesh.error.reason': 'USER_NOT_FOUND' };
      expect(client.attributes).to.include(failure);
      expect(server.attributes).to.include(failure);
      expect(client.status).to.deep.equal({ code: SpanStatusCode.ERROR, message: 'there is no user demo' });
      expect(server.status.code).to.equal(SpanStatusCode.UNSET);
    });

    it('marks a bug on both sides, without its words, and the log names the span', async () => {
      await fleet().host(UserService, () => ({ getUser: () => Promise.reject(new TypeError('secret')) }));
      await failureOf(fleet().client(UserService).getUser({ userId: 'demo' }));
      const { client, server } = await pair();
      for (const { status, attributes, events } of [client, server]) {
        expect(status.code).to.equal(SpanStatusCode.ERROR);
        expect(JSON.stringify([status, attributes, events])).not.to.contain('secret');
      }
      expect(fleet().log[0]).to.include({ trace_id: server.spanContext().traceId, span_id: server.spanContext().spanId });
    });

    it('lasts as long as a stream, also when its reader stops early', async () => {
      await fleet().host(OrderService, () => ({
        async *watchOrder() {
          for (;;) yield { sequence: 1n };
        },
      }));
      let endedWhileReading = -1;
      let read = 0;
      for await (const _change of fleet().client(OrderService).watchOrder({ orderId: 'o-1' })) {
        endedWhileReading = spans().length;
        if ((read += 1) === 3) break;
      }
      const { client, server } = await pair();
      expect(endedWhileReading).to.equal(0);
      expect(client.attributes).to.include({ 'rpc.response.status_code': 'OK' });
      expect(server.attributes).to.include({ 'rpc.response.status_code': 'CANCELLED' });
      expect(server.status.code).to.equal(SpanStatusCode.UNSET);
    });

    it('ends when a deadline passes', async () => {
      await fleet().host(UserService, () => ({ getUser: () => new Promise(() => undefined) }));
      await failureOf(fleet().client(UserService).getUser({ userId: 'demo' }, { deadlineMs: 50 }));
      const { client, server } = await pair();
      expect(client.attributes).to.include({ 'rpc.response.status_code': 'DEADLINE_EXCEEDED' });
      // The client's clock may run out first; then the server sees a caller that went away.
      expect(server.attributes['rpc.response.status_code']).to.be.oneOf(['DEADLINE_EXCEEDED', 'CANCELLED']);
    });
  });
}
