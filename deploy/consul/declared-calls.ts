import type { DescMethod } from '@bufbuild/protobuf';

import { serviceName } from '#mesh';
import { loadModule, MODULE_NAMES } from '#modules';
import { AccountService } from '#proto/shop/user/v1/account_pb.js';

/** Every service verifies access tokens of people itself, with keys and revocations that it asks this one for: also this one, as a caller of itself. */
const TOKEN_ISSUER = 'user';

/** What a service calls for that, and no more. */
const TOKEN_METHODS = [AccountService.method.getSigningKeys, AccountService.method.listRevocations];

/** That one service calls another. */
export interface DeclaredCall {
  readonly caller: string;
  readonly called: string;
  /** For people. */
  readonly why: string;
  /** Which methods, by their paths; undefined: all of them. */
  readonly paths?: readonly string[];
}

/** Who calls whom: what the modules declare, and everybody the issuer of tokens. */
export async function declaredCalls(): Promise<readonly DeclaredCall[]> {
  const calls = MODULE_NAMES.map(async (caller) => {
    const { dependencies } = await loadModule(caller);
    const declared = new Set(Object.values(dependencies).map(serviceName));
    const others = [...new Set([...declared, TOKEN_ISSUER])].filter((called) => called !== caller || called === TOKEN_ISSUER).sort();
    return others.map((called) =>
      declared.has(called) ? { caller, called, why: `services/${caller}/service.ts` } : { caller, called, why: 'verifies access tokens', paths: TOKEN_METHODS.map(pathOf) },
    );
  });
  return (await Promise.all(calls)).flat();
}

function pathOf({ parent, name }: DescMethod): string {
  return `/${parent.typeName}/${name}`;
}
