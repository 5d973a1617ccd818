import { type MeshError, refusal } from '#kit';

import type { AccessToken } from './access-token.ts';

/** Of a call that is for the owner alone: what its handler has to ask, before anything else happens. */
export interface Ownership {
  /**
   * Refuses the call unless `owner` is the user who makes it: with `missing`, which says that there is no such thing, as it
   * is said where there is none; else with NOT_THE_OWNER.
   */
  require(owner: string, missing?: () => MeshError): void;
}

/** The ownership that one call's handler asks, and whether it has. */
export class AskedOwnership implements Ownership {
  readonly #user: AccessToken;
  readonly #refuse: (missing: MeshError | undefined) => MeshError;
  #isOwner = false;

  constructor(user: AccessToken, refuse: (missing: MeshError | undefined) => MeshError) {
    this.#user = user;
    this.#refuse = refuse;
  }

  require(owner: string, missing?: () => MeshError): void {
    this.#isOwner = owner === this.#user.userId;
    if (!this.#isOwner) throw this.#refuse(missing?.());
  }

  /** OWNER_UNCHECKED when nobody asked, or the refusal was not heeded: then nothing goes out. */
  requireAsked(method: string): void {
    if (this.#isOwner) return;
    const sentence = `the handler of ${method} did not ask whose it is, so its answer is kept back; call call.ownership?.require(owner) there`;
    throw refusal('OWNER_UNCHECKED', sentence, { metadata: { method } });
  }
}
