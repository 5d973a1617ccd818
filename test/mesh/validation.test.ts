import { create, type DescMessage, fromJson, type JsonValue, type Message } from '@bufbuild/protobuf';
import { ValueSchema } from '@bufbuild/protobuf/wkt';
import { expect } from 'chai';

import { describeMethod } from '#mesh';
import { UpdateProductRequestSchema } from '#proto/shop/product/v1/product_pb.js';
import { UserService } from '#proto/shop/user/v1/user_pb.js';

import type { ServerCall } from '../../mesh/call.ts';
import { serverValidation } from '../../mesh/server/validation.ts';
import { failureOf } from './support/outcome.ts';

/** The one thing that no contract says and every string has to keep: Postgres takes no NUL character. */
describe('a NUL character in a request', () => {
  /** A request of any type, through the validation alone. */
  function validate(input: DescMessage, request: Message): Promise<unknown> {
    const method = describeMethod(UserService.method.getUser);
    // The validation reads nothing else of a call.
    const call = { method: { ...method, desc: { ...method.desc, input } }, request } as unknown as ServerCall;
    return serverValidation(async () => request)(call);
  }

  /** The fields that are refused, of a request that can hold anything: lists, maps, oneofs, at any depth. */
  async function refusedOf(json: JsonValue): Promise<string[]> {
    const { code, violations } = await failureOf(validate(ValueSchema, fromJson(ValueSchema, json)));
    expect(code).to.equal('INVALID_ARGUMENT');
    return violations.map(({ field }) => field);
  }

  it('is found in lists and maps and in the keys of maps, wherever it stands in the string', async () => {
    expect(await refusedOf('\0')).to.deep.equal(['string_value']);
    expect(await refusedOf(['a', 'b\0', ['\0c']])).to.deep.equal(['list_value.values[1].string_value', 'list_value.values[2].list_value.values[0].string_value']);
    expect(await refusedOf({ a: { b: 'c\0d' } })).to.deep.equal(['struct_value.fields["a"].struct_value.fields["b"].string_value']);
    expect(await refusedOf({ 'a\0': 1 })).to.have.length(1);
  });

  it('is found in a field that need not be set', async () => {
    const request = create(UpdateProductRequestSchema, { productId: 'beans', name: 'Be\0ns' });
    expect((await failureOf(validate(UpdateProductRequestSchema, request))).violations).to.deep.equal([
      { field: 'name', description: 'must not hold the character U+0000 (NUL)' },
    ]);
  });

  it('is all that is refused: every other character passes', async () => {
    const request = fromJson(ValueSchema, { '\u0001\u007f': ['\\0', '%00', 'ä\u{1f600}\u2028', 0, null, true, ''] });
    expect(await validate(ValueSchema, request)).to.equal(request);
  });
});
