import { MODULE_NAMES } from '#modules';
import { OrderService } from '#proto/shop/order/v1/order_pb.js';

import type { RefusedCall } from './refused-call.ts';
import { REFUSED_PEOPLE } from './refused-people.ts';
import { orderRequest } from './shop-commands.ts';

/** Bad input of every kind that a caller can come up with. */
export const REFUSALS: readonly RefusedCall[] = [
  ...REFUSED_PEOPLE,
  {
    what: 'an unknown service, with a guess',
    args: () => ['ordr.GetOrder'],
    code: 'NOT_FOUND',
    reason: 'UNKNOWN_SERVICE',
    says: new RegExp(`no service ordr; did you mean order\\? \\(services: ${MODULE_NAMES.join(', ')}\\)`),
  },
  {
    what: 'an unknown service by its full name',
    args: () => ['shop.cart.v1.CartService/Get'],
    code: 'NOT_FOUND',
    reason: 'UNKNOWN_SERVICE',
    says: /no service cart .*inventory/,
  },
  {
    what: 'what is no method',
    args: () => ['GetOrder'],
    code: 'INVALID_ARGUMENT',
    says: /"GetOrder" is not a method; write it like order\.GetOrder/,
  },
  {
    what: 'an unknown method, with those there are',
    args: () => ['order.GetOrders'],
    code: 'UNIMPLEMENTED',
    reason: 'UNKNOWN_METHOD',
    says: new RegExp(`no method GetOrders; .*${OrderService.methods.map(({ name }) => name).join(', ')}`),
  },
  {
    what: 'an unknown field, with those there are',
    args: () => ['order.GetOrder', '{"id":"x"}'],
    code: 'INVALID_ARGUMENT',
    says: /"id" is unknown.*orderId/,
  },
  {
    what: 'malformed JSON',
    args: () => ['order.GetOrder', '{"orderId":'],
    code: 'INVALID_ARGUMENT',
    says: /not a shop\.order\.v1\.GetOrderRequest/,
  },
  {
    what: 'a file that is not there',
    args: () => ['order.GetOrder', '@/no/such/file.json'],
    code: 'INVALID_ARGUMENT',
    says: /cannot read the request from \/no\/such\/file\.json/,
  },
  {
    what: 'a header without a colon',
    args: () => ['order.GetOrder', '{}', '-H', 'token'],
    code: 'INVALID_ARGUMENT',
    says: /"token" is not a header; write it like -H key:value/,
  },
  {
    what: 'a header that cannot be sent',
    args: () => ['order.GetOrder', '{}', '-H', 'a b:c'],
    code: 'INVALID_ARGUMENT',
    says: /the header a b cannot be sent/,
  },
  {
    what: 'a deadline that is none',
    args: () => ['order.GetOrder', '{}', '--deadline', 'soon'],
    code: 'INVALID_ARGUMENT',
    says: /--deadline: "soon" is not a time span; write it like 500ms, 2s or 5m/,
  },
  {
    what: 'a deadline that leaves no time',
    args: () => ['order.GetOrder', '{}', '--deadline', '0'],
    code: 'INVALID_ARGUMENT',
    says: /--deadline: 0 leaves no time for a call/,
  },
  {
    what: 'a deadline that is over',
    args: () => ['order.GetOrder', '{"orderId":"x"}', '--deadline', '1ms'],
    code: 'DEADLINE_EXCEEDED',
    says: /order did not answer within 1 ms; .*--deadline/,
  },
  {
    what: 'an order that is not there',
    args: () => ['order.GetOrder', '{"orderId":"x"}', '--as', 'staff'],
    code: 'NOT_FOUND',
    reason: 'ORDER_NOT_FOUND',
    says: /there is no order x/,
  },
  {
    what: 'an order without request_id',
    args: () => placing({ requestId: '' }),
    code: 'INVALID_ARGUMENT',
    says: /request_id/,
    field: 'request_id',
  },
  {
    what: 'a huge quantity',
    args: () => placing(line({ quantity: 2_000_000_000 })),
    code: 'INVALID_ARGUMENT',
    says: /quantity/,
    field: 'lines[0].quantity',
  },
  {
    what: 'a quantity that is no 32-bit number',
    args: () => placing(line({ quantity: 1e20 })),
    code: 'INVALID_ARGUMENT',
    says: /quantity.*int32/,
  },
  {
    what: 'a negative quantity',
    args: () => placing(line({ quantity: -1 })),
    code: 'INVALID_ARGUMENT',
    says: /quantity/,
    field: 'lines[0].quantity',
  },
  {
    what: 'a wrong currency',
    args: () => placing(line({ unitPrice: { currencyCode: 'eur', units: 1 } })),
    code: 'INVALID_ARGUMENT',
    says: /ISO 4217/,
    field: 'lines[0].unit_price',
  },
  {
    what: 'a currency that does not exist',
    args: () => placing(line({ unitPrice: { currencyCode: 'ABC', units: 1 } })),
    code: 'INVALID_ARGUMENT',
    says: /ABC is not a currency/,
  },
  {
    what: 'a NUL character, which no database takes',
    args: () => ['user.CreateUser', '{"email":"ada@example.com","displayName":"A\\u0000da"}'],
    code: 'INVALID_ARGUMENT',
    says: /display_name: must not hold the character U\+0000/,
    field: 'display_name',
  },
  {
    what: 'a bad page token',
    args: () => ['order.ListOrders', '{"userId":"demo","pageToken":"zzz"}', '--as', 'demo'],
    code: 'INVALID_ARGUMENT',
    reason: 'INVALID_PAGE_TOKEN',
    says: /page_token is not one this service gave out; start again without it/,
    field: 'page_token',
  },
];

function placing(changes: object): readonly string[] {
  return ['order.PlaceOrder', JSON.stringify({ ...orderRequest(), ...changes }), '--as', 'demo'];
}

function line(changes: object): object {
  const [first] = orderRequest()['lines'] as object[];
  return { lines: [{ ...first, ...changes }] };
}
