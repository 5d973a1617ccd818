import { MeshError } from '#kit';
import type { Client } from '#mesh';
import type { UserService } from '#proto/shop/user/v1/user_pb.js';

/** Where a person's mail goes. */
export interface Recipient {
  readonly name: string;
  readonly address: string;
}

/** Who users are. */
export interface Directory {
  /** Undefined when there is no such user. Rejects while nobody can be asked. */
  recipientOf(userId: string, signal: AbortSignal): Promise<Recipient | undefined>;
}

/** The users' own service, asked for each batch of mails: an address that was just corrected counts. */
export function createDirectory(users: Client<typeof UserService>): Directory {
  return {
    async recipientOf(userId, signal) {
      try {
        const { user } = await users.getUser({ userId }, { signal });
        return user && { name: user.displayName, address: user.email };
      } catch (thrown) {
        if (MeshError.from(thrown).reason === 'USER_NOT_FOUND') return undefined;
        throw thrown;
      }
    },
  };
}

/** Asks once for each user, however many mails it gets, and gives all of them the same answer. For one batch of mails: an answer ages. */
export function askOnceEach({ recipientOf }: Directory): Directory {
  const asked = new Map<string, Promise<Recipient | undefined>>();
  return {
    recipientOf(userId, signal) {
      const answer = asked.get(userId) ?? recipientOf(userId, signal);
      asked.set(userId, answer);
      return answer;
    },
  };
}
