import { create, type Message, type MessageInitShape } from '@bufbuild/protobuf';
import { expect } from 'chai';

import { MeshError, refusal, silentLog, systemClock } from '#kit';
import { createAuthorization, describeMethod, type Method, type Reply, type ServerCall } from '#mesh';
import { type AccessSchema, MethodPolicySchema } from '#proto/mesh/v1/options_pb.js';
import { OrderService } from '#proto/shop/order/v1/order_pb.js';

import { readAccessRule } from '../../../mesh/identity/access-rule.ts';
import { expectRefusal } from '../../database/expect-refusal.ts';
import { createServerCall } from '../support/server-call.ts';
import { createPeople, type People } from './people.ts';

const { watchOrder, listOrders } = OrderService.method;

describe('authorization, of rules that no contract has today', () => {
  let people: People;
  before(async () => {
    people = await createPeople();
  });

  function withAccess(desc: Method['desc'], access: MessageInitShape<typeof AccessSchema>): Method {
    return { ...describeMethod(desc), access: readAccessRule(desc, create(MethodPolicySchema, { access })) };
  }

  /** What somebody gets of a method whose handler answers so. */
  async function answerTo(userId: string | undefined, method: Method, handler: (call: ServerCall) => Promise<Reply>): Promise<Reply> {
    const authorization = createAuthorization({ verify: people.verify, clock: systemClock, log: silentLog });
    const header = userId === undefined ? undefined : `Bearer ${await people.token(userId)}`;
    const named = header === undefined ? {} : { header: () => header, allHeaders: () => ({ authorization: header }) };
    const call = { ...createServerCall(method, create(method.desc.input)), ...named };
    return authorization.link(method)(handler)(call).finally(authorization.stop);
  }

  /** The messages of a stream until it ends, and the reason why, if it fails. */
  async function readAll(reply: Reply): Promise<readonly [received: number, reason: string | undefined]> {
    let received = 0;
    try {
      for await (const _ of reply as AsyncIterable<Message>) received += 1;
      return [received, undefined];
    } catch (thrown) {
      return [received, MeshError.from(thrown).reason];
    }
  }

  it('lets everybody who is signed in call what is for users', async () => {
    const method = withAccess(listOrders, { user: true });
    const answer = create(listOrders.output);
    expect(await answerTo('ada', method, async () => answer)).to.equal(answer);
    await expectRefusal('SIGN_IN_REQUIRED', answerTo(undefined, method, async () => answer));
  });

  describe('looks at each message of a stream', () => {
    // A string of the answer that can stand for its owner.
    const byAnswer = () => withAccess(watchOrder, { owner: { by: { case: 'responseField', value: 'reason' }, missing: 'ORDER_NOT_FOUND' } });

    function stream(owners: readonly string[], failure?: Error): { readonly handler: () => Promise<Reply>; readonly isLeft: () => boolean } {
      let isLeft = false;
      async function* messages(): AsyncGenerator<Message> {
        try {
          for (const reason of owners) yield create(watchOrder.output, { reason });
          if (failure) throw failure;
        } finally {
          isLeft = true;
        }
      }
      return { handler: async () => messages(), isLeft: () => isLeft };
    }

    it('and ends it with the first one that belongs to somebody else', async () => {
      const { handler, isLeft } = stream(['ada', 'ada', 'bo', 'ada']);
      expect(await readAll(await answerTo('ada', byAnswer(), handler))).to.deep.equal([2, 'ORDER_NOT_FOUND']);
      expect(isLeft()).to.equal(true);
    });

    it('and lets those of its owner through to the end', async () => {
      expect(await readAll(await answerTo('ada', byAnswer(), stream(['ada', 'ada']).handler))).to.deep.equal([2, undefined]);
    });

    it('and says in the same words what there is not', async () => {
      const missing = refusal('SAGA_NOT_FOUND', 'there is no saga of order-of-bo');
      expect(await readAll(await answerTo('ada', byAnswer(), stream([], missing).handler))).to.deep.equal([0, 'ORDER_NOT_FOUND']);
      const other = refusal('DATABASE_UNAVAILABLE', 'the database does not answer; try again in a moment');
      expect(await readAll(await answerTo('ada', byAnswer(), stream(['ada'], other).handler))).to.deep.equal([1, 'DATABASE_UNAVAILABLE']);
    });
  });

  it('does not let an empty stream end well for which nobody has asked whose it is', async () => {
    const method = withAccess(watchOrder, { owner: { by: { case: 'handler', value: true } } });
    async function* nothing(): AsyncGenerator<Message> {}
    expect(await readAll(await answerTo('ada', method, async () => nothing()))).to.deep.equal([0, 'OWNER_UNCHECKED']);
  });

  it('does not take a refusal for an answer that the handler has caught', async () => {
    const method = withAccess(OrderService.method.cancelOrder, { owner: { by: { case: 'handler', value: true } } });
    const careless = async ({ ownership }: ServerCall): Promise<Reply> => {
      try {
        ownership?.require('bo');
      } catch {
        // As if nothing were the matter.
      }
      return create(OrderService.method.cancelOrder.output);
    };
    await expectRefusal('OWNER_UNCHECKED', answerTo('ada', method, careless));
  });
});
