import * as crypto from 'node:crypto';

import { refusal } from '#kit';

import type { HashCost } from './password-hash.ts';

export interface Argon2Input {
  readonly password: string;
  readonly salt: Uint8Array;
  readonly cost: HashCost;
  readonly tagBytes: number;
}

/** Makes the tag of a password. */
export type Argon2id = (input: Argon2Input) => Promise<Uint8Array>;

/** Node's own, on its thread pool. */
export const argon2id: Argon2id = ({ password, salt, cost, tagBytes }) =>
  new Promise((resolve, reject) => {
    // By the name space: an import by name would keep an older Node from loading the whole service.
    if (!('argon2' in crypto)) return reject(refusal('INTERNAL', 'this Node.js has no argon2; accounts need 24.7 or newer'));
    const parameters = { message: password, nonce: salt, parallelism: cost.lanes, tagLength: tagBytes, memory: cost.memoryKiB, passes: cost.passes };
    crypto.argon2('argon2id', parameters, (failure, tag) => (failure ? reject(failure) : resolve(tag)));
  });
