import type { Metadata } from '@grpc/grpc-js';
import { expect } from 'chai';

import { UserService } from '#proto/shop/user/v1/user_pb.js';

import { addAnswerHeader } from '../../mesh/answer-headers.ts';
import type { HeaderValue } from '../../mesh/headers.ts';
import { type Transport, useFleet } from './support/fleet.ts';
import { failureOf } from './support/outcome.ts';

const BYTES = new Uint8Array([1]);

describe('a header of an answer', () => {
  const add = (name: string, value: HeaderValue, before?: Metadata) => addAnswerHeader(before, name, value);

  it('goes out by its lower-case name', () => {
    expect(add('X-Text', ['a', 'b c']).get('x-text')).to.deep.equal(['a', 'b c']);
    expect(add('x-bytes-Bin', BYTES).get('x-bytes-bin')).to.deep.equal([Buffer.from(BYTES)]);
    expect(add('x-empty', '').get('x-empty')).to.deep.equal(['']);
    expect(add('x-text', 'b', add('X-TEXT', 'a')).get('x-text')).to.deep.equal(['a', 'b']);
  });

  for (const [name, value, why] of [
    ['connection', 'close', /^the handler set the header "connection", which is HTTP's own; set one of another name$/],
    ['Transfer-Encoding', 'chunked', /HTTP's own/],
    ['te', 'trailers', /HTTP's own/],
    ['content-type', 'text/html', /HTTP's own/],
    ['content-length', '3', /HTTP's own/],
    [':status', '404', /no name of a header/],
    ['', 'a', /no name of a header/],
    ['x y', 'a', /no name of a header/],
    ['grpc-status', '0', /gRPC's own/],
    ['grpc-status-details-bin', BYTES, /gRPC's own/],
    ['etag', ['a', 'b'], /set it once/],
    ['x-text', 'é', /printable ASCII/],
    ['x-text', 'a\r\nb', /printable ASCII/],
    ['x-text', ' a', /printable ASCII/],
    ['x-text', ['a', 'b\0'], /printable ASCII/],
    ['x-text', BYTES, /ends in -bin/],
    ['x-bytes-bin', 'AQ', /give it a Uint8Array/],
    // As JavaScript would have it.
    ['x-text', 3 as unknown as string, /printable ASCII/],
  ] as const) {
    it(`is refused where ${JSON.stringify(name)} is set to ${JSON.stringify(value)}`, () => {
      expect(() => add(name, value)).to.throw(why).that.includes({ code: 'INTERNAL', reason: 'INTERNAL' });
    });
  }

  it('is refused when HTTP has it once and it is set twice', () => {
    expect(() => add('Retry-After', '2', add('retry-after', '1'))).to.throw(/"retry-after", which has one value in HTTP, more than once/);
  });
});

for (const transport of ['local', 'remote'] satisfies Transport[]) {
  describe(`headers that cannot go out (${transport})`, () => {
    const fleet = useFleet(transport);

    it('fail their call, by name, and nothing else', async () => {
      await fleet().host(UserService, () => ({
        async getUser({ userId }, call) {
          if (userId === 'header') call.setHeader('Connection', 'close');
          if (userId === 'trailer') call.setTrailer('Date', ['today', 'tomorrow']);
          return {};
        },
      }));
      const { getUser } = fleet().client(UserService);
      for (const [userId, name] of [['header', 'connection'], ['trailer', 'date']] as const) {
        const error = await failureOf(getUser({ userId }));
        expect(error.code).to.equal('INTERNAL');
        expect(error.message).to.include(`"${name}"`);
      }
      expect((await getUser({ userId: 'neither' })).user).to.equal(undefined);
    });
  });
}
