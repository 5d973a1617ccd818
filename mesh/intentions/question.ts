import type { ServerCall } from '../call.ts';
import type { Headers } from '../headers.ts';
import { headerText, type IntentionRequest } from './request.ts';

/** Puts calls to intentions. */
export interface Question {
  /** Valid until the next one. */
  about(call: ServerCall): IntentionRequest;
}

/**
 * One object for all calls: what is asked of it is answered before the next call comes, and most rules ask for nothing.
 * Headers are read at the first rule that wants one. The path of a method that is served has neither query nor fragment.
 */
export function createQuestion(): Question {
  let asked: ServerCall | undefined;
  let headers: Headers | undefined;
  const request: IntentionRequest = {
    method: 'POST',
    get target() {
      return asked?.method.path ?? '';
    },
    get path() {
      return asked?.method.path ?? '';
    },
    header: (name) => headerText((headers ??= asked?.allHeaders())?.[name]),
  };
  return {
    about(call) {
      asked = call;
      headers = undefined;
      return request;
    },
  };
}
