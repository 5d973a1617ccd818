import { MeshError } from '#kit';
import type { ClientInterceptor } from '#mesh';

/** Takes away what the server said of trying again, as a client that knows nothing of it would. */
export const forgetHints: ClientInterceptor = (next) => (call) =>
  next(call).catch((thrown: unknown) => {
    const { code, reason, message, metadata, violations, answeredBy, foreign, cause } = MeshError.from(thrown);
    throw new MeshError(code, reason, message, { metadata, violations, answeredBy, foreign, cause });
  });
