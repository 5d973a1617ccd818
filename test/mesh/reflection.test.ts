import type { IncomingHttpHeaders } from 'node:http2';

import { getOption } from '@bufbuild/protobuf';
import { expect } from 'chai';

import { field as fieldRules } from '#proto/buf/validate/validate_pb.js';
import { method as methodPolicy } from '#proto/mesh/v1/options_pb.js';
import { OrderService } from '#proto/shop/order/v1/order_pb.js';

import { useHttp2Callers } from './door/support/http2-caller.ts';
import { useFleet } from './support/fleet.ts';
import { openReflection, type ReflectionStream, type ReflectionVersion, registryOf } from './support/reflection-client.ts';

const ORDERS = 'shop.order.v1.OrderService';

for (const version of ['v1', 'v1alpha'] satisfies ReflectionVersion[]) {
  describe(`reflection ${version}`, () => {
    let reflection: ReflectionStream;
    let port: number;
    const connect = useHttp2Callers(() => port);
    // Before the fleet stops, which would wait for the open stream.
    afterEach(() => reflection.close());
    const fleet = useFleet('remote');

    beforeEach(async () => {
      ({ port } = await fleet().host(OrderService, () => ({})));
      reflection = openReflection(port, version);
    });

    const fileOf = async (symbol: string) => registryOf(await reflection.ask({ case: 'fileContainingSymbol', value: symbol }));

    it('lists the service and health', async () => {
      const answer = await reflection.ask({ case: 'listServices', value: '' });
      const names = answer.case === 'listServicesResponse' ? answer.value.service.map(({ name }) => name) : [];
      expect(names).to.include.members([ORDERS, 'grpc.health.v1.Health']);
    });

    it('describes a service with all its methods and their deadlines', async () => {
      const service = (await fileOf(ORDERS)).getService(ORDERS);
      expect(service?.methods.map(({ name }) => name)).to.deep.equal(OrderService.methods.map(({ name }) => name));
      const placeOrder = service?.methods.find(({ name }) => name === 'PlaceOrder');
      if (!placeOrder) throw new Error('PlaceOrder is described');
      expect(getOption(placeOrder, methodPolicy)).to.deep.include({ idempotencyKey: 'request_id' });
      expect(getOption(placeOrder, methodPolicy).deadline?.seconds).to.equal(15n);
    });

    it('describes a message with the rules of its fields, and everything it refers to', async () => {
      const registry = await fileOf('shop.order.v1.PlaceOrderRequest');
      const message = registry.getMessage('shop.order.v1.PlaceOrderRequest');
      const requestId = message?.fields.find(({ name }) => name === 'request_id');
      if (!requestId) throw new Error('request_id is described');
      expect(getOption(requestId, fieldRules).type).to.deep.include({ case: 'string' });
      for (const name of ['google.type.Money', 'google.protobuf.Timestamp', 'mesh.v1.MethodPolicy']) {
        expect(registry.getMessage(name)?.typeName, name).to.equal(name);
      }
    });

    it('finds enums, and methods and fields by the type they belong to', async () => {
      expect((await fileOf('shop.order.v1.OrderState')).getEnum('shop.order.v1.OrderState')).not.to.equal(undefined);
      for (const symbol of [`${ORDERS}.PlaceOrder`, 'shop.order.v1.Order.order_id', 'mesh.v1.method']) {
        expect([...(await fileOf(symbol)).files], symbol).not.to.deep.equal([]);
      }
    });

    it('knows the details that errors carry', async () => {
      for (const name of ['google.rpc.ErrorInfo', 'google.rpc.BadRequest']) expect((await fileOf(name)).getMessage(name)?.typeName).to.equal(name);
    });

    it('finds files by name, and extensions by type and number', async () => {
      const byName = await reflection.ask({ case: 'fileByFilename', value: 'google/type/money.proto' });
      expect(registryOf(byName).getMessage('google.type.Money')).not.to.equal(undefined);
      const containingType = 'google.protobuf.MethodOptions';
      const numbers = await reflection.ask({ case: 'allExtensionNumbersOfType', value: containingType });
      expect(numbers.case === 'allExtensionNumbersResponse' && numbers.value).to.deep.include({ baseTypeName: containingType, extensionNumber: [50_100] });
      const byNumber = await reflection.ask({
        case: 'fileContainingExtension',
        value: { $typeName: 'grpc.reflection.v1.ExtensionRequest', containingType, extensionNumber: 50_100 },
      });
      expect(registryOf(byNumber).getExtension('mesh.v1.method')).not.to.equal(undefined);
    });

    it('answers NOT_FOUND for what it does not know, and goes on', async () => {
      for (const question of [
        { case: 'fileContainingSymbol', value: 'shop.cart.v1.CartService' },
        { case: 'fileByFilename', value: '../package.json' },
        { case: 'fileContainingSymbol', value: '' },
      ] as const) {
        const answer = await reflection.ask(question);
        expect(answer.case === 'errorResponse' && answer.value.errorCode).to.equal(5);
      }
      expect((await fileOf(ORDERS)).getService(ORDERS)).not.to.equal(undefined);
    });

    it('answers many questions on one stream in their order', async () => {
      const symbols = Array.from({ length: 50 }, (_, index) => (index % 2 ? ORDERS : 'nobody.Knows'));
      const answers = await Promise.all(symbols.map((value) => reflection.ask({ case: 'fileContainingSymbol', value })));
      expect(answers.map(({ case: kind }) => kind)).to.deep.equal(symbols.map((name) => (name === ORDERS ? 'fileDescriptorResponse' : 'errorResponse')));
    });

    it('ends with the server that it asks, which says so', async () => {
      const path = `/grpc.reflection.${version}.ServerReflection/ServerReflectionInfo`;
      const call = connect().begin(path).resume();
      let said: IncomingHttpHeaders | undefined;
      call.on('response', (headers) => {
        said = headers;
        call.end();
      });
      await reflection.ask({ case: 'listServices', value: '' });
      await fleet().stop();
      expect(said?.['grpc-status']).to.equal('14');
    });
  });
}
