import { readFile } from 'node:fs/promises';

/** What an operator with every right does about access control lists. */
export interface Acl {
  /** Makes the policy, or gives it other rules. */
  policy(name: string, rules: string): Promise<void>;
  /** A new token with these policies. */
  token(...policies: readonly string[]): Promise<{ readonly secret: string; revoke(): Promise<void> }>;
}

export function createAcl(httpAddr: string, management: string): Acl {
  const ids = new Map<string, string>();

  async function manage<T>(method: string, path: string, body?: object): Promise<T> {
    const headers = { 'x-consul-token': management, connection: 'close' };
    const answer = await fetch(`${httpAddr}/v1/acl/${path}`, { method, headers, ...(body && { body: JSON.stringify(body) }) });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${method} ${path}: ${text}`);
    // Documented shape.
    return JSON.parse(text) as T;
  }

  return {
    async policy(Name, Rules) {
      const known = ids.get(Name);
      const { ID } = await manage<{ ID: string }>('PUT', known === undefined ? 'policy' : `policy/${known}`, { Name, Rules, ...(known !== undefined && { ID: known }) });
      ids.set(Name, ID);
    },
    async token(...policies) {
      const made = await manage<{ AccessorID: string; SecretID: string }>('PUT', 'token', { Policies: policies.map((Name) => ({ Name })) });
      return { secret: made.SecretID, revoke: async () => void (await manage('DELETE', `token/${made.AccessorID}`)) };
    },
  };
}

/** A file of `deploy/consul/policies`. */
export function readPolicyFile(name: string): Promise<string> {
  return readFile(new URL(`../../../deploy/consul/policies/${name}.hcl`, import.meta.url), 'utf8');
}
