import { create, type DescMethod, type MessageInitShape } from '@bufbuild/protobuf';
import { expect } from 'chai';

import { describeMethod } from '#mesh';
import { type AccessSchema, MethodPolicySchema, Repeat } from '#proto/mesh/v1/options_pb.js';
import { ServerReflection } from '#proto/grpc/reflection/v1/reflection_pb.js';
import { OrderService } from '#proto/shop/order/v1/order_pb.js';

import { ruleInWords } from '../../../mesh/identity/access-refusal.ts';
import { type AccessRule, readAccessRule } from '../../../mesh/identity/access-rule.ts';

const { getOrder, listOrders, cancelOrder, watchOrder } = OrderService.method;

describe('the access that a contract gives', () => {
  function read(desc: DescMethod, access: MessageInitShape<typeof AccessSchema>, repeat = Repeat.UNSPECIFIED): AccessRule | undefined {
    return readAccessRule(desc, create(MethodPolicySchema, { access, repeat }));
  }

  it('is read once with the method', () => {
    expect(describeMethod(getOrder).access).to.include({ everybody: false, anyUser: false, asksWho: true });
    expect(describeMethod(getOrder)).to.equal(describeMethod(getOrder));
  });

  it('can be told in words', () => {
    const rule = read(listOrders, { user: true, owner: { by: { case: 'requestField', value: 'user_id' } }, roles: ['staff'], services: ['order', '*'] });
    expect(rule && ruleInWords(rule)).to.equal('user, owner (user_id), role staff, service order, any service');
    const open = read(listOrders, { public: true });
    expect(open && ruleInWords(open)).to.equal('public');
  });

  it('is nobody\'s where the contract is ours and says nothing', () => {
    expect(readAccessRule(getOrder, undefined)).to.equal(undefined);
    expect(readAccessRule(getOrder, create(MethodPolicySchema))).to.equal(undefined);
  });

  it('is everybody\'s to reflection and health, whose contracts are not ours', () => {
    expect(readAccessRule(ServerReflection.method.serverReflectionInfo, undefined)?.everybody).to.equal(true);
  });

  describe('is refused', () => {
    type Case = readonly [why: RegExp, desc: DescMethod, access: MessageInitShape<typeof AccessSchema>, repeat?: Repeat];
    const request = (value: string) => ({ by: { case: 'requestField', value } as const });
    const response = (value: string, missing = 'ORDER_NOT_FOUND') => ({ by: { case: 'responseField', value } as const, missing });
    const handler = { by: { case: 'handler', value: true } as const };
    const cases: Readonly<Record<string, Case>> = {
      'when it is empty': [/is empty/, getOrder, {}],
      'when it is public, and more': [/is public, and more/, getOrder, { public: true, roles: ['staff'] }],
      'when an owner is found by nothing': [/says not by what/, getOrder, { owner: {} }],
      'when the handler is said not to find out': [/says not by what/, getOrder, { owner: { by: { case: 'handler', value: false } } }],
      'when the field is not there': [/"buyer" leads to no string/, listOrders, { owner: request('buyer') }],
      'when the field is no string': [/"page_size" leads to no string/, listOrders, { owner: request('page_size') }],
      'when the path ends at a message': [/"order" leads to no string/, getOrder, { owner: response('order') }],
      'when the path goes through a list': [/"orders\.user_id" leads to no string/, listOrders, { owner: response('orders.user_id') }],
      'when the answer comes after an effect': [/comes after the effect/, cancelOrder, { owner: response('order.user_id') }],
      'when the reason for what is missing is none': [/missing is ""/, getOrder, { owner: response('order.user_id', '') }],
      'when that reason is none of what is not there': [/missing is "CARD_DECLINED"/, getOrder, { owner: response('order.user_id', 'CARD_DECLINED') }],
      'when one owner is named for a stream of requests': [/has no one owner/, { ...watchOrder, methodKind: 'bidi_streaming' }, { owner: request('order_id') }],
      'when repeats do not reach the handler that finds the owner out': [/do not reach/, cancelOrder, { owner: handler }, Repeat.ORIGINAL],
    };
    for (const [when, [why, desc, access, repeat]] of Object.entries(cases)) {
      it(when, () => {
        expect(() => read(desc, access, repeat)).to.throw(why).with.property('message').that.includes(`OrderService/${desc.name}`);
      });
    }
  });
});
