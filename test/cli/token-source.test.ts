import { expect } from 'chai';

import { refusal } from '#kit';
import type { ModuleName } from '#modules';

import { createTokenSource, type TokenSource } from '../../cli/serving/token-source.ts';
import { expectRefusal } from '../database/expect-refusal.ts';

describe('whoever asks the user service about tokens for a process', () => {
  let asked: ModuleName[];
  let denied: Set<ModuleName>;
  let isAway: boolean;
  beforeEach(() => {
    asked = [];
    denied = new Set();
    isAway = false;
  });

  function sourceOf(...services: ModuleName[]): TokenSource {
    return createTokenSource(services, (service) => {
      const ask = async (): Promise<never> => {
        asked.push(service);
        if (isAway) throw refusal('UNREACHABLE', 'user could not be reached; try again in a moment');
        if (denied.has(service)) throw refusal('INTENTION_DENIED', `${service} may not call`);
        // What is answered is none of its business.
        return {} as never;
      };
      return { getSigningKeys: ask, listRevocations: ask };
    });
  }

  it('is user, where it is in the process, and where nobody is', async () => {
    await sourceOf('product', 'user', 'order').getSigningKeys({});
    await sourceOf().listRevocations({});
    expect(asked).to.deep.equal(['user', 'user']);
  });

  it('is the next one when an intention keeps one out, and stays the one that was answered', async () => {
    const source = sourceOf('product', 'order', 'payment');
    denied = new Set(['product', 'order']);
    await source.getSigningKeys({});
    await source.listRevocations({});
    expect(asked).to.deep.equal(['product', 'order', 'payment', 'payment']);
    denied = new Set(['payment']);
    await source.listRevocations({});
    expect(asked.slice(4)).to.deep.equal(['payment', 'product']);
  });

  it('is each one once where all are kept out, and one alone where nobody answers', async () => {
    denied = new Set(['product', 'order']);
    await expectRefusal('INTENTION_DENIED', sourceOf('product', 'order').getSigningKeys({}));
    expect(asked).to.deep.equal(['product', 'order']);
    isAway = true;
    await expectRefusal('UNREACHABLE', sourceOf('product', 'order').getSigningKeys({}));
    expect(asked.slice(2)).to.deep.equal(['product']);
  });
});
