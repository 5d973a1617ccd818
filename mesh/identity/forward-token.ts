import type { ClientInterceptor } from '../call.ts';
import { currentCall } from '../call-context.ts';
import type { AccessRule } from './access-rule.ts';
import { AUTHORIZATION } from './bearer-token.ts';

/**
 * Puts the verified token of the call that is served here on the calls made meanwhile, unless their caller has set one. Only
 * where it decides: a method that this service may call as itself, or that is public, does not get to see it. So what a
 * service does on its own account does not fail either because somebody's token has expired in between.
 */
export const forwardToken: ClientInterceptor = (next) => (call) => {
  const { headers, method, caller } = call;
  if (decides(method.access, caller) && headers[AUTHORIZATION] === undefined) {
    const served = currentCall(call.context);
    const value = served?.user && served.header(AUTHORIZATION);
    if (value !== undefined) headers[AUTHORIZATION] = value;
  }
  return next(call);
};

function decides(rule: AccessRule | undefined, caller: string): boolean {
  return rule !== undefined && rule.asksWho && !rule.services.has(caller) && !rule.services.has('*');
}
