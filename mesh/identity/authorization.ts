import { trace } from '@opentelemetry/api';

import type { Log, MeshError, Stoppable } from '#kit';

import type { ClientInterceptor, ServerCall, ServerInterceptor } from '../call.ts';
import type { Method } from '../method.ts';
import { type AccessRefusal, accessRefused, ruleInWords } from './access-refusal.ts';
import type { AccessRule } from './access-rule.ts';
import { createAudit } from './audit.ts';
import { forwardToken } from './forward-token.ts';
import { createIdentification, type IdentificationOptions } from './identification.ts';
import { ownerCheck } from './owner-check.ts';
import type { Peer } from './peer.ts';

export interface AuthorizationOptions extends IdentificationOptions {
  readonly log: Log;
}

/** Lets those call a method whom its contract lets. */
export interface Authorization extends Stoppable {
  /** Goes behind the deadline and the intentions, ahead of all work. Throws for a method whose contract does not say who may call it. */
  link(method: Method): ServerInterceptor;
  /** Goes inside the deadline, ahead of retries. */
  readonly forward: ClientInterceptor;
}

/**
 * Asks of every call, also of those within the process, what `mesh.v1.Access` says: is it public, does its peer have a
 * service's name that is listed, or its verified token a user whom it is for? A token that is not good is refused also where
 * none is needed (ACCESS_TOKEN_REFUSED): whoever sends one means to be somebody. A stream ends with its token.
 * SIGN_IN_REQUIRED, NOT_THE_OWNER, ROLE_REQUIRED, SERVICES_ONLY, OWNER_UNCHECKED. Without a token a check costs less than
 * 0.1 µs, with a known one 2 µs.
 */
export function createAuthorization({ log, ...options }: AuthorizationOptions): Authorization {
  const identification = createIdentification(options);
  const audit = createAudit({ log, clock: options.clock });

  function deny(call: ServerCall, reason: AccessRefusal, rule: AccessRule): MeshError {
    const { method, peer, user } = call;
    const fields = { reason, method: method.fullName, rule: ruleInWords(rule), source: peer.service, user: user?.userId };
    trace.getSpan(call.context)?.addEvent('mesh.denied', {
      'mesh.denied.source': peer.service,
      'mesh.denied.method': method.fullName,
      'mesh.denied.reason': reason,
      'mesh.denied.rule': fields.rule,
    });
    // Whoever has forgotten to sign in tries nothing on.
    if (reason !== 'SIGN_IN_REQUIRED') audit.note(`${reason} ${method.fullName} ${peer.service} ${user?.userId}`, 'a call was refused by its contract', fields);
    return accessRefused(reason, method, rule);
  }

  return {
    link(method) {
      const judge = judgement(requireRule(method), method, deny);
      const identify = identification.link(method);
      return (next) => identify(judge(next));
    },
    forward: forwardToken,
    async stop() {
      await identification.stop();
      await audit.stop();
    },
  };
}

function requireRule({ access, fullName }: Method): AccessRule {
  if (access) return access;
  throw new Error(`the contract of ${fullName} does not say who may call it; add access to its option (mesh.v1.method)`);
}

type Deny = (call: ServerCall, reason: AccessRefusal, rule: AccessRule) => MeshError;

function judgement(rule: AccessRule, method: Method, deny: Deny): ServerInterceptor {
  if (rule.everybody) return (next) => next;
  const owners = rule.owner && ownerCheck(rule.owner, method, (call) => deny(call, 'NOT_THE_OWNER', rule));
  return (next) => {
    const ofOwner = owners?.(next);
    return (call) => {
      if (isListed(call.peer, rule)) return next(call);
      const { user } = call;
      if (!user) return Promise.reject(deny(call, rule.asksWho ? 'SIGN_IN_REQUIRED' : 'SERVICES_ONLY', rule));
      if (rule.anyUser || rule.roles.some((role) => user.roles.includes(role))) return next(call);
      if (ofOwner) return ofOwner(call);
      return Promise.reject(deny(call, rule.roles.length > 0 ? 'ROLE_REQUIRED' : 'SERVICES_ONLY', rule));
    };
  };
}

/** Only by a name that is proved: who comes to the explorer's port has one that anybody on the machine can have. */
function isListed({ proof, service }: Peer, { services }: AccessRule): boolean {
  const isProved = (proof === 'certificate' || proof === 'process') && service !== '';
  return isProved && (services.has(service) || services.has('*'));
}
