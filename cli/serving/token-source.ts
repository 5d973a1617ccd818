import { MeshError } from '#kit';
import type { Client } from '#mesh';
import type { ModuleName } from '#modules';
import type { AccountService } from '#proto/shop/user/v1/account_pb.js';

/** What the user service publishes for all who verify access tokens. */
export type TokenSource = Pick<Client<typeof AccountService>, 'getSigningKeys' | 'listRevocations'>;

/**
 * One of the services of a process asks for all of them, as it has a certificate, and intentions know it: user, where it is
 * among them, and otherwise the first one that no intention keeps out (INTENTION_DENIED). A process of none asks as user.
 */
export function createTokenSource(services: readonly ModuleName[], stubOf: (service: ModuleName) => TokenSource): TokenSource {
  const others = services.filter((service) => service !== 'user');
  const askers: readonly ModuleName[] = services.includes('user') || others.length === 0 ? ['user', ...others] : others;
  const stubs = new Map<ModuleName, TokenSource>();
  /** Where the last answer came from. */
  let lucky = 0;

  function stubAt(index: number): TokenSource {
    const asker = askers[index] ?? 'user';
    const stub = stubs.get(asker) ?? stubOf(asker);
    stubs.set(asker, stub);
    return stub;
  }

  async function askInTurn<Answer>(ask: (source: TokenSource) => Promise<Answer>): Promise<Answer> {
    const first = lucky;
    for (let turn = 0; ; turn += 1) {
      const index = (first + turn) % askers.length;
      try {
        const answer = await ask(stubAt(index));
        lucky = index;
        return answer;
      } catch (thrown) {
        // The last one's refusal stands for all.
        if (MeshError.from(thrown).reason !== 'INTENTION_DENIED' || turn === askers.length - 1) throw thrown;
      }
    }
  }

  return {
    getSigningKeys: (request, options) => askInTurn((source) => source.getSigningKeys(request, options)),
    listRevocations: (request, options) => askInTurn((source) => source.listRevocations(request, options)),
  };
}
