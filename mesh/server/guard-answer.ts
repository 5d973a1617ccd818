import type { MessageInitShape } from '@bufbuild/protobuf';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';

import { DefaultAction, type GuardStateSchema } from '#proto/mesh/v1/instance_pb.js';

import type { Sighting } from '../identity/sightings.ts';
import type { GuardState } from '../intentions/guard-state.ts';

const DEFAULTS = { unknown: DefaultAction.UNSPECIFIED, allow: DefaultAction.ALLOW, deny: DefaultAction.DENY } as const;

/** The guard's part of what `GetInstance` answers. */
export function toGuard({ permissive, defaultAction, intentions, checks, held, withoutCertificate, denials }: GuardState): MessageInitShape<typeof GuardStateSchema> {
  return {
    ...{ permissive, intentions, held },
    defaultAction: DEFAULTS[defaultAction ?? 'unknown'],
    allowed: BigInt(checks.allow.intention + checks.allow.default),
    denied: BigInt(checks.deny.intention + checks.deny.default),
    withoutCertificate: withoutCertificate.listed.map((seen) => ({ ...seen.what, ...toCalls(seen) })),
    otherCallsWithoutCertificate: BigInt(withoutCertificate.others),
    denials: denials.listed.map((seen) => {
      const { source, method, rule, permission = 0 } = seen.what;
      return { source, method, intention: rule, permission, ...toCalls(seen) };
    }),
    otherDeniedCalls: BigInt(denials.others),
  };
}

function toCalls({ count, firstMs, lastMs }: Sighting<unknown>) {
  return { calls: BigInt(count), firstTime: timestampFromMs(firstMs), lastTime: timestampFromMs(lastMs) };
}
