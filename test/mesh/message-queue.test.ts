import { create } from '@bufbuild/protobuf';
import { expect } from 'chai';

import { GetUserRequestSchema } from '#proto/shop/user/v1/user_pb.js';

import { createMessageQueue } from '../../mesh/server/message-queue.ts';
import { failureOf } from './support/outcome.ts';

const message = (userId: string) => create(GetUserRequestSchema, { userId });

describe('requests on their way to a handler', () => {
  function open() {
    let asked = 0;
    const queue = createMessageQueue(() => (asked += 1));
    return { queue, asked: () => asked, iterator: queue.messages[Symbol.asyncIterator]() };
  }

  it('are asked for one by one, the first before the handler wants it', async () => {
    const { queue, asked, iterator } = open();
    expect(asked()).to.equal(1);
    const [first, second] = [message('1'), message('2')];
    queue.push(first);
    expect(asked()).to.equal(1);
    expect(await iterator.next()).to.deep.equal({ done: false, value: first });
    const next = iterator.next();
    expect(asked()).to.equal(2);
    queue.push(second);
    expect(await next).to.deep.equal({ done: false, value: second });
  });

  it('are not given to two who ask at once: the second is refused, and the first one gets its message', async () => {
    const { queue, iterator } = open();
    const first = iterator.next();
    const second = failureOf(iterator.next());
    queue.push(message('1'));
    queue.end();
    expect((await second).message).to.equal('the handler asked for two requests at once; await one before the next');
    expect((await first).done).to.equal(false);
    expect((await iterator.next()).done).to.equal(true);
  });
});
