import { refusal } from '#kit';
import type { ClientInterceptor } from '#mesh';

const ATTEMPTS = 3;

/**
 * Calls as a program makes them that puts a timeout and a retry of its own around them: it gives up at the deadline, of
 * which its server hears neither before nor then, and asks again, twice. Each call may so cost three times its work.
 */
export const naiveCalls: ClientInterceptor = (next) => (call) =>
  new Promise((resolve, reject) => {
    const patienceMs = call.deadline - Date.now();
    const attempt = (left: number): void => {
      const giveUp = (): void => {
        if (left > 0) attempt(left - 1);
        else reject(refusal('DEADLINE_EXCEEDED', 'the caller of the test gave up'));
      };
      const timer = setTimeout(giveUp, patienceMs);
      next({ ...call, deadline: Infinity, signals: [] })
        .then(resolve, reject)
        .finally(() => clearTimeout(timer));
    };
    attempt(ATTEMPTS - 1);
  });
