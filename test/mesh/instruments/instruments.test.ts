import { createNoopMeter } from '@opentelemetry/api';
import { expect } from 'chai';

import { describeMethod } from '#mesh';
import { OrderService } from '#proto/shop/order/v1/order_pb.js';

import { createInstruments } from '../../../mesh/instruments/instruments.ts';
import { useShop } from './support/measured-shop.ts';

const SERVED = { 'grpc.method': 'shop.order.v1.OrderService/GetOrder' };

const answered = async () => ({ order: { orderId: 'o-1' } });

describe('a mesh without a meter', () => {
  const open = useShop();

  it('has no link in its chains: a call pays nothing', () => {
    const { clientCall, clientAttempt, serverCall } = createInstruments(createNoopMeter(), () => 0);
    const method = describeMethod(OrderService.method.getOrder);
    expect([clientCall(method), clientAttempt(method), serverCall(method)]).to.deep.equal([[], [], []]);
  });

  it('measures nothing', async () => {
    const { orders, caller, service } = await open({ measured: false, handlers: { getOrder: answered } });
    await orders.getOrder({ orderId: 'o-1' });
    expect([await caller.collect(), await service.collect()].map(({ size }) => size)).to.deep.equal([0, 0]);
  });
});

describe('a mesh that has stopped', () => {
  const open = useShop();

  it('is read no more: what is counted after that is not seen', async () => {
    const { orders, caller, meshes } = await open({ transport: 'local', handlers: { getOrder: answered } });
    await orders.getOrder({ orderId: 'o-1' });
    const before = await caller.series('grpc.server.call.started');
    expect(before).to.deep.include([SERVED, 1]);
    await Promise.all(meshes.map((mesh) => mesh.stop()));
    // Within the process calls still arrive.
    await orders.getOrder({ orderId: 'o-1' });
    expect(await caller.series('grpc.server.call.started')).to.deep.equal(before);
    expect(await caller.series('mesh.admission.admitted')).to.deep.equal([[{ 'mesh.service': 'order' }, 1]]);
  });
});
