import { createRequire } from 'node:module';

import { create, type DescField, type DescMessage, fromJson, type JsonValue, ScalarType } from '@bufbuild/protobuf';
import { pathToString } from '@bufbuild/protobuf/reflect';
import type { createValidator, Validator } from '@bufbuild/protovalidate';
import { expect } from 'chai';
import * as fc from 'fast-check';

import { FaultPolicySchema, PolicySchema } from '#proto/mesh/v1/policy_pb.js';
import { SetStockRequestSchema } from '#proto/shop/inventory/v1/inventory_pb.js';
import { ListOrdersRequestSchema, PlaceOrderRequestSchema } from '#proto/shop/order/v1/order_pb.js';
import { ChargeRequestSchema, RefundRequestSchema } from '#proto/shop/payment/v1/payment_pb.js';
import { CreateProductRequestSchema, ListProductsRequestSchema } from '#proto/shop/product/v1/product_pb.js';
import { ScheduleShipmentRequestSchema } from '#proto/shop/shipping/v1/shipping_pb.js';
import { CreateUserRequestSchema } from '#proto/shop/user/v1/user_pb.js';

import { ruleValidator } from '../../mesh/rule-validator.ts';

/** The library's second build, for CommonJS, has descriptors of its own: nothing has been left out of them. */
const untouched = createRequire(import.meta.url)('@bufbuild/protovalidate') as { createValidator: typeof createValidator };

const texts = fc.oneof(
  fc.constantFrom('', 'beans', 'a-1', 'pm_card', 'ada@example.com', 'a@b', 'DE', 'not an address', 'x'.repeat(65), 'é'.repeat(300), 'y'.repeat(1_001)),
  fc.string({ maxLength: 8 }),
);
const wholes = fc.constantFrom(-(2 ** 31), -1, 0, 1, 7, 100, 101, 1_000_001, 2 ** 31 - 1);
const fractions = fc.constantFrom(-1, 0, 0.5, 1, 100, 1e9, 'NaN', 'Infinity');

/** A value of this field in JSON, good or bad. */
function valuesOf(field: DescField, depth: number): fc.Arbitrary<JsonValue> {
  if (field.fieldKind === 'list') return fc.array(itemsOf(field, depth), { maxLength: 3 });
  return field.fieldKind === 'map' ? fc.constant({}) : itemsOf(field, depth);
}

function itemsOf(field: DescField, depth: number): fc.Arbitrary<JsonValue> {
  if (field.message) return depth === 0 ? fc.constant({}) : messagesOf(field.message, depth - 1);
  if (field.enum) return fc.constantFrom(0, 1, 2, 99);
  switch (field.scalar) {
    case ScalarType.STRING:
      return texts;
    case ScalarType.BOOL:
      return fc.boolean();
    case ScalarType.DOUBLE:
    case ScalarType.FLOAT:
      return fractions;
    case ScalarType.UINT32:
    case ScalarType.UINT64:
      return wholes.map(Math.abs);
    default:
      return wholes;
  }
}

function messagesOf(message: DescMessage, depth: number): fc.Arbitrary<JsonValue> {
  // Of a oneof, one field; of the well-known types, those that have fields of their own in JSON.
  const fields = message.fields.filter(({ oneof }, index, all) => !oneof || all.findIndex((other) => other.oneof === oneof) === index);
  if (message.typeName.startsWith('google.protobuf.')) return fc.constantFrom('2026-01-01T00:00:00Z', '2020-01-01T00:00:00Z');
  // A field that is left out is not there at all: none is undefined.
  return fc.record(Object.fromEntries(fields.map((field) => [field.jsonName, valuesOf(field, depth)])), { requiredKeys: [] }) as fc.Arbitrary<JsonValue>;
}

function verdict(validator: Validator, desc: DescMessage, json: JsonValue): unknown {
  const result = validator.validate(desc, fromJson(desc, json));
  if (result.kind !== 'invalid') return result.kind;
  return result.violations.map(({ field, ruleId, message }) => `${pathToString(field)} ${ruleId} ${message}`);
}

const REQUESTS = [
  ...[PlaceOrderRequestSchema, ListOrdersRequestSchema, ChargeRequestSchema, RefundRequestSchema, SetStockRequestSchema],
  ...[CreateProductRequestSchema, ListProductsRequestSchema, ScheduleShipmentRequestSchema, CreateUserRequestSchema],
  ...[PolicySchema, FaultPolicySchema],
];

describe('the validator of requests', () => {
  const whole = untouched.createValidator();

  for (const desc of REQUESTS) {
    it(`says of a ${desc.name} what the library says with nothing left out`, () => {
      const same = fc.property(messagesOf(desc, 3), (json) => {
        expect(verdict(ruleValidator(), desc, json)).to.deep.equal(verdict(whole, desc, json));
      });
      fc.assert(same, { numRuns: 60 });
    });
  }

  it('is one for the whole process', () => {
    expect(ruleValidator()).to.equal(ruleValidator());
    expect(ruleValidator().validate(CreateUserRequestSchema, create(CreateUserRequestSchema)).kind).to.equal('invalid');
  });
});
