import { create } from '@bufbuild/protobuf';
import { ROOT_CONTEXT } from '@opentelemetry/api';
import { expect } from 'chai';

import { type ClientCall, describeMethod, type Headers, type Method } from '#mesh';
import { OrderService } from '#proto/shop/order/v1/order_pb.js';
import { ProductService } from '#proto/shop/product/v1/product_pb.js';
import { UserService } from '#proto/shop/user/v1/user_pb.js';

import type { AccessToken } from '../../../mesh/identity/access-token.ts';
import { forwardToken } from '../../../mesh/identity/forward-token.ts';
import { withCallContext } from '../../../mesh/call-context.ts';
import { createServerCall } from '../support/server-call.ts';

const getOrder = describeMethod(OrderService.method.getOrder);
const getProduct = describeMethod(ProductService.method.getProduct);
const getUser = describeMethod(UserService.method.getUser);
const ADA: AccessToken = { userId: 'ada', roles: [], tokenId: 'token', generation: 0, expireTimeMs: 0 };

describe('a token on its way on', () => {
  interface Sent {
    readonly caller?: string;
    /** Default: true. */
    readonly isVerified?: boolean;
    readonly headers?: Headers;
    /** Whether it is called while a call is served. Default: true. */
    readonly isServing?: boolean;
  }

  /** The header that a call goes out with. */
  async function sent(method: Method, { caller = 'payment', isVerified = true, headers = {}, isServing = true }: Sent = {}): Promise<unknown> {
    const served = { ...createServerCall(getOrder, create(getOrder.desc.input)), header: () => 'Bearer good', ...(isVerified && { user: ADA }) };
    const context = isServing ? withCallContext(ROOT_CONTEXT, served) : ROOT_CONTEXT;
    // The link reads nothing else of a call.
    const call = { method, caller, headers, context } as ClientCall;
    await forwardToken(async () => create(method.desc.output))(call);
    return call.headers['authorization'];
  }

  it('goes to a method that asks who the person is', async () => {
    expect(await sent(getOrder)).to.equal('Bearer good');
  });

  it('does not go to a method that is public', async () => {
    expect(await sent(getProduct)).to.equal(undefined);
  });

  it('does not go where the service is let in as itself', async () => {
    expect(await sent(getUser, { caller: 'order' })).to.equal(undefined);
    expect(await sent(getUser, { caller: 'payment' })).to.equal('Bearer good');
  });

  it('does not go where nobody has verified it', async () => {
    expect(await sent(getOrder, { isVerified: false })).to.equal(undefined);
  });

  it('is not found where no call is served', async () => {
    expect(await sent(getOrder, { isServing: false })).to.equal(undefined);
  });

  it('gives way to one that the caller has set', async () => {
    expect(await sent(getOrder, { headers: { authorization: 'Bearer own' } })).to.equal('Bearer own');
  });
});
