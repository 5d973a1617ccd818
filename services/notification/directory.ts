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

/** The users' own service, asked for each mail: an address that was just corrected counts. */
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
