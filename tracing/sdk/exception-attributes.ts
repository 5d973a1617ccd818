import type { Attributes, Exception } from '@opentelemetry/api';
import { ATTR_EXCEPTION_MESSAGE, ATTR_EXCEPTION_STACKTRACE, ATTR_EXCEPTION_TYPE } from '@opentelemetry/semantic-conventions';

type Thrown = Partial<Exclude<Exception, string>>;

/** What an `exception` event says; undefined when there is nothing to say. Source: semantic conventions, "Exceptions on spans". */
export function exceptionAttributes(exception: Exception): Attributes | undefined {
  const { code, name, message, stack }: Thrown = typeof exception === 'string' ? { message: exception } : exception;
  const type = code ? String(code) : name;
  if (!type && !message) return undefined;
  return { [ATTR_EXCEPTION_TYPE]: type, [ATTR_EXCEPTION_MESSAGE]: message, [ATTR_EXCEPTION_STACKTRACE]: stack };
}
